import { shown } from "../errors/shown.ts";
import { utf8 } from "../streams/bytes.ts";
import type { Archive } from "./archive_files.ts";
import type { Documents } from "./documents.ts";
import { FLAG, NODE } from "./entry_table.ts";
import type { Findings } from "./finding.ts";
import type { Json } from "./shape.ts";
import { isV1File, V1_FILES } from "./v1_in_rootfs.ts";

/** Checks what rkt is shown: all, or what pathWhitelist says. */
export function checkWhitelist(
  { rootfs }: Archive,
  { appc, v1 }: Documents,
  findings: Findings,
): void {
  if (!rootfs || !appc?.isGood) return;
  const { pathWhitelist } = appc.value as Json;
  const list = Array.isArray(pathWhitelist) && pathWhitelist.length > 0
    ? pathWhitelist as string[]
    : undefined;
  const { table } = rootfs;
  const shownSlots = new Set<number>();
  // rkt has no use for it.
  for (const path of V1_FILES) {
    if (list && isV1File(v1, path)) {
      shownSlots.add(rootfs.find(utf8(path)));
    }
  }
  for (const path of list ?? []) {
    const slot = rootfs.find(utf8(path.slice(1)));
    // The place of bytes that are not UTF-8.
    if (slot < 0 && path.includes("\ufffd")) continue;
    if (slot < 0) {
      findings.add(
        "whitelist-hides",
        shown("manifest"),
        `pathWhitelist names ${shown(path)}, which is not there`,
      );
    } else shownSlots.add(slot);
  }
  for (const { path, slot } of rootfs.endless) {
    if (list && !shownSlots.has(slot)) continue;
    rootfs.findings.add(
      "device-endless",
      path,
      "it is a character device and not hidden by pathWhitelist",
    );
  }
  if (!list) return;
  let hidden = 0;
  for (let slot = 0; slot < table.length; slot++) {
    const node = table.node(slot);
    if (node === NODE.directory || node === NODE.missing) continue;
    if (
      shownSlots.has(slot) || table.has(slot, FLAG.unnameable) ||
      table.has(table.root(slot), FLAG.endless)
    ) continue;
    hidden++;
  }
  if (hidden > 0) {
    findings.add(
      "whitelist-hides",
      shown("manifest"),
      `pathWhitelist hides ${hidden} files that are no character devices`,
    );
  }
}
