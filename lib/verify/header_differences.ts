import { shown } from "../errors/shown.ts";
import { NO_RECORDS } from "../tar/pax.ts";
import { extraOf, factsOf } from "./entry_facts.ts";
import type { Header } from "./header_at.ts";
import type { Found } from "./walk_tar.ts";

/**
 * Which of mode, owner, time and attributes differ, as a finding's message.
 *
 * @param found The entry of the layer.
 * @param other The header of its counterpart below rootfs/.
 */
export function metadataDifference(found: Found, other: Header): string {
  const one = factsOf(found.bytes, found.entry, found.globals);
  const two = factsOf(other.bytes, other.entry, NO_RECORDS);
  const differences = (["mode", "owner", "time"] as const)
    .filter((key) => one[key] !== two[key])
    .map((key) =>
      `${key} ${one[key]} in the layer and ${two[key]} below rootfs/`
    );
  if (one.attributes !== two.attributes) {
    differences.push("extended attributes that differ");
  }
  return `it has ${differences.join(", ") || "other metadata"}`;
}

/** Says where a symlink leads, or which device it is, in both places. */
export function targetDifference(found: Found, other: Header): string {
  const one = shown(extraOf(found.bytes, found.entry));
  const two = shown(extraOf(other.bytes, other.entry));
  return `it leads to ${one} in the layer and to ${two} below rootfs/`;
}
