import type { Isoc } from "../build/isoc.ts";
import { USED } from "../build/turns.ts";
import { ROOTFS_FACES } from "../image/face.ts";
import {
  type Packing,
  USUAL_WINDOW,
  windowFor,
  WINDOWS,
} from "../streams/packing.ts";
import { host } from "../system/host.ts";
import type { EditPlan } from "./edit_plan.ts";
import { editNotes, editReport } from "./edit_report.ts";
import type { Parsed } from "./options.ts";
import { type Origins, report, summary } from "./report.ts";
import { printJson, say } from "./say.ts";

/** What the archive is made of, where it went, and how it is compressed. */
interface Written {
  origins: Origins;
  plan: EditPlan | undefined;
  output: string | undefined;
  packing?: Packing | undefined;
}

/** Says what was made, as far as it is asked for. */
export function tellBuilt(
  parsed: Parsed,
  made: Isoc & { written?: number },
  { origins, output, packing, plan }: Written,
): void {
  const edits = plan?.tallies ?? [];
  const notes = [...made.notes, ...plan ? editNotes(plan) : []];
  const isoc = { ...made, notes };
  if (edits.every(({ entries }) => entries === 0)) {
    for (const origin of origins) delete origin.edited;
  }
  if (!parsed.on("quiet")) {
    const hints = [loadHint(isoc, output), packHint(isoc, packing)];
    for (const hint of hints) if (hint) say(hint);
    for (const note of isoc.notes) say(note);
  }
  if (parsed.on("verbose")) {
    for (const line of report(isoc, origins, output)) say(line);
    for (const line of editReport(edits)) say(line);
  }
  if (parsed.on("json")) {
    const to = output === undefined ? 2 : 1;
    printJson({
      ...summary(isoc, origins, edits),
      ...(packing && { compressed: { ...packing, size: isoc.written } }),
    }, to);
  }
}

/** Entries from which on containerd's way of loading takes long. */
const MANY = 5000;

/**
 * What the users of containerd want to know of a large archive. A pipe's reader
 * gets the archive as it is, and `ciso load` there does this by itself.
 */
function loadHint(
  isoc: Isoc,
  output: string | undefined,
): string | undefined {
  if (host.fileIdentity(output ?? 1) === undefined) return undefined;
  const { faces } = isoc;
  const both = faces.includes("oci") &&
    faces.some((face) => ROOTFS_FACES.includes(face));
  if (!both || faces.includes("containerd") || isoc.entries < MANY) {
    return undefined;
  }
  return `with ${isoc.entries} entries, engines on containerd take long to load ` +
    `this; ciso load ${
      output ?? "IMAGE"
    } gives them their face alone, and --faces ` +
    "all,containerd makes an archive that has it at its end";
}

/** Bytes from which on it matters that they are there twice. */
const LARGE = 1 << 24;

/** Says that the second copy of the files takes room where it need not. */
function packHint(
  { faces, layers, size }: Isoc,
  packing: Packing | undefined,
): string | undefined {
  const isTwice = faces.includes("oci") &&
    faces.some((face) => ROOTFS_FACES.includes(face));
  if (!packing || !isTwice) return undefined;
  const sizes = layers.map((layer) => layer.size);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  // A layer that comes amid its own files is half of its size from them.
  const apart = Math.min(all, Math.max(...sizes) / 2 / USED);
  const { method, window = 0 } = packing;
  const reach = window && windowFor(window, size);
  if (all < LARGE || apart <= reach || layers.some(({ blob }) => blob)) {
    return undefined;
  }
  const why = method === "gzip"
    ? "gzip does not see that each file is there twice"
    : `each file is there twice, too far apart for a window of ${
      reach / 2 ** 20
    }M`;
  const split = Math.min(reach || USUAL_WINDOW, USUAL_WINDOW) * 15 / 8;
  return `${why}: --for ENGINE makes a file of half the size, and so does ` +
    `--compress zstd --window ${
      windowWord(apart)
    }; docs/compression.md says who takes it; ciso build --layer-size ${
      split / 2 ** 20
    }M splits a rootfs so that it needs no larger window`;
}

/** A window that reaches over some bytes, as --window takes it. */
function windowWord(bytes: number): string {
  const needed = 2 ** Math.ceil(Math.log2(bytes));
  return `${Math.min(needed, WINDOWS.highest) / 2 ** 20}M`;
}
