import { shown } from "../errors/shown.ts";
import type { Face } from "../image/face.ts";
import {
  type LayerMethod,
  type Method,
  USUAL_WINDOW,
} from "../streams/packing.ts";
import { packingOf } from "./compress_options.ts";
import type { Option, Parsed } from "./options.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/** What is best for one engine, in all of its versions that are in use. */
export interface EngineForm {
  name: string;
  /** The faces that it reads. */
  faces: readonly Face[];
  /** How its layers are compressed. */
  layers?: LayerMethod;
  /** How the file is compressed. */
  file?: Method;
  /** The compressions of the file that all of its versions take. */
  takes: readonly Method[];
  /** The largest window that it takes, in bytes, if that is more than usual. */
  window?: number;
}

/** Where the layers are compressed, a compressed file saves nothing more. */
const BLOBS = {
  faces: ["docker", "oci"],
  layers: "gzip",
} as const;
const TAR = { file: "gzip", takes: ["gzip", "zstd", "xz"] } as const;
const LARGE = 2 ** 29;

/** The engines of --for; docs/compression.md has the trials. */
const FORMS: readonly EngineForm[] = [
  { name: "docker", ...BLOBS, takes: ["gzip", "xz"] },
  {
    name: "podman",
    ...BLOBS,
    layers: "zstd",
    takes: ["zstd", "xz"],
    window: LARGE,
  },
  { name: "containerd", ...BLOBS, layers: "zstd", takes: [] },
  { name: "buildah", ...BLOBS, takes: ["zstd", "xz"], window: LARGE },
  { name: "skopeo", ...BLOBS, takes: ["zstd", "xz"], window: LARGE },
  { name: "umoci", faces: ["oci"], layers: "gzip", takes: TAR.takes },
  { name: "crane", ...BLOBS, takes: [] },
  { name: "apptainer", faces: ["docker"], layers: "gzip", takes: [] },
  { name: "rkt", faces: ["appc"], file: "gzip", takes: ["gzip", "xz"] },
  { name: "runc", faces: ["bundle"], ...TAR },
  { name: "systemd-nspawn", faces: ["bundle"], ...TAR },
  // Incus takes the command from config.json, which LXD passes over.
  { name: "lxd", faces: ["bundle", "lxd"], ...TAR },
  { name: "incus", faces: ["bundle", "lxd"], ...TAR },
];

/** Other names of engines. */
const ALIASES = new Map([
  ["ctr", "containerd"],
  ["nerdctl", "containerd"],
  ["k3s", "containerd"],
  ["crun", "runc"],
  ["nspawn", "systemd-nspawn"],
]);

/** The option that chooses for one engine. */
export const FOR_OPTION: Option = {
  name: "for",
  group: "Compression",
  value: "ENGINE",
  values: FORMS.map(({ name }) => name),
  help:
    "choose faces and compression for one engine, and say what is chosen; " +
    "--faces, --layer-compression and --compress win",
};

/**
 * A command line with what is best for the engine of --for, where it says nothing
 * else itself. Says what was chosen.
 *
 * @throws {UsageError} If there is no such engine, or it does not take what the
 * command line says.
 */
export function forEngine(parsed: Parsed): Parsed {
  const form = engineForm(parsed);
  if (!form) return parsed;
  if (parsed.value("layout") === "classic") {
    throw new UsageError(
      "--for and --layout classic exclude each other: classic is for Docker 1.9",
    );
  }
  const { faces, layers, file, takes, window } = form;
  const face = faces.at(-1)!;
  const packing = packingOf(parsed);
  const method = packing?.method ??
    (parsed.value("compress") === undefined ? file : undefined);
  if (method !== undefined && !takes.includes(method)) {
    throw refuse(form, method);
  }
  if (method === "zstd") checkWindow(form, packing?.window);
  const usual = new Map<string, string>([["as", face]]);
  if (parsed.value("layout") === undefined) usual.set("faces", faces.join());
  if (method !== undefined) usual.set("compress", method);
  // Of a compressed file they would be compressed twice.
  if (layers && !method && isOf(parsed, ["docker", "oci"])) {
    usual.set("layer-compression", layers);
  }
  if (window && method === "zstd") usual.set("window", String(window));
  const value = (name: string) => parsed.value(name) ?? usual.get(name);
  if (!parsed.on("quiet")) say(text(form, value));
  return { ...parsed, value };
}

/** Whether an export is of one of some faces; other commands have no --as. */
function isOf(parsed: Parsed, faces: readonly string[]): boolean {
  const as = parsed.value("as");
  return as === undefined || faces.includes(as);
}

function engineForm(parsed: Parsed): EngineForm | undefined {
  const given = parsed.value("for");
  if (given === undefined) return undefined;
  const name = given.toLowerCase();
  const form = FORMS.find((form) => form.name === (ALIASES.get(name) ?? name));
  if (form) return form;
  throw new UsageError(
    `--for: ${shown(given)} is not one of ${
      FORMS.map(({ name }) => name).join(", ")
    }`,
  );
}

function refuse({ name, takes }: EngineForm, method: Method): UsageError {
  return new UsageError(
    `--for ${name}: not every version takes a file with ${method}` +
      (takes.length > 0 ? ` (all take ${takes.join(" and ")})` : "") +
      "; leave --for out if yours does",
  );
}

/** Refuses a window that the engine has no memory for. */
function checkWindow({ name, window }: EngineForm, given = 0): void {
  const most = window ?? USUAL_WINDOW;
  if (given <= most) return;
  throw new UsageError(
    `--for ${name}: not every version takes zstd with a window above ${
      most / 2 ** 20
    }M; leave --for out if yours does`,
  );
}

/** What is chosen, in words. */
function text(
  { name }: EngineForm,
  value: (name: string) => string | undefined,
): string {
  const faces = value("faces") ?? value("as")!;
  const layers = value("layer-compression") ?? "none";
  const file = value("compress") ?? "none";
  const words = [
    `--faces ${faces}`,
    ...(layers === "none" ? [] : [`--layer-compression ${layers}`]),
    ...(file === "none" ? [] : [`--compress ${file}`]),
  ];
  return `for ${name}: ${words.join(" ")}`;
}
