import { shown } from "../errors/shown.ts";
import { hasWhiteoutName } from "../rootfs/whiteouts.ts";
import { FIELD, numberField } from "../tar/block.ts";
import type { Entry } from "../tar/entry.ts";
import { factsOf } from "./entry_facts.ts";
import type { TreeFindings } from "./tree_findings.ts";
import type { Found } from "./walk_tar.ts";

/** 2262-04-11, where Go's nanoseconds end. */
const LAST_TIME = 9223372036;

/** Checks type and header; returns whether the entry can be a file. */
export function checkForm(
  entry: Entry,
  path: Uint8Array,
  findings: TreeFindings,
): boolean {
  if (entry.dialect === "v7" && findings.kind !== "layer") {
    findings.add("header-v7", path, "its header has no ustar magic");
  }
  if (entry.sparse) {
    findings.add("sparse-entry", path, "it is stored sparse");
  } else if (entry.kind === "file" && entry.flag !== 0x30 && entry.flag) {
    const type = String.fromCharCode(entry.flag);
    findings.add("entry-type", path, `its type is ${shown(type)}`);
  }
  if (entry.kind === "directory" && entry.flag !== 0x35 && entry.flag) {
    findings.add(
      "entry-type",
      path,
      `its type is ${
        shown(String.fromCharCode(entry.flag))
      }, and it is a directory`,
    );
  }
  if (entry.path.length === 0) {
    findings.add("tar-header", path, "it has no name");
    return false;
  }
  if (findings.kind === "rootfs" && hasWhiteoutName(path)) {
    findings.add("whiteout-name", path, "it looks like a deletion");
  }
  return true;
}

/** Checks that all engines can tell the time of an entry. */
export function checkTime(
  { bytes, entry }: Found,
  path: Uint8Array,
  findings: TreeFindings,
): void {
  const header = numberField(bytes, FIELD.mtime, entry.header) ?? 0;
  const isPlain = entry.records.length === 0;
  const time = isPlain ? header : Number(factsOf(bytes, entry, new Map()).time);
  if (time >= 0 && time <= LAST_TIME) return;
  findings.once("time-range", path, `its time is ${time}`);
}
