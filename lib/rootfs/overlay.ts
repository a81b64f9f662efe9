import { asciiText } from "../streams/bytes.ts";
import { FIELD, numberField } from "../tar/block.ts";
import type { PaxRecord } from "../tar/pax.ts";
import type { StoredEntry } from "./stored_entries.ts";

// What overlayfs keeps in the upper directory of a mount (Linux,
// Documentation/filesystems/overlayfs.rst). Somebody who tars that directory has
// it in the tar, and an engine on overlayfs then obeys it, while others show it.

const CHARACTER_DEVICE = 0x33;
const SCHILY = "SCHILY.xattr.";
/** libarchive's way to write the same: the name in percent-encoding, base64. */
const LIBARCHIVE = "LIBARCHIVE.xattr.";
const OVERLAY = /^(trusted|user)\.overlay\./;

/** Whether an entry is overlayfs's deletion: a character device 0:0. */
export function isOverlayWhiteout({ bytes, entry }: StoredEntry): boolean {
  return entry.flag === CHARACTER_DEVICE &&
    numberField(bytes, FIELD.devmajor, entry.header) === 0 &&
    numberField(bytes, FIELD.devminor, entry.header) === 0;
}

/** The extended attribute that a PAX record sets, if it is one of overlayfs. */
function overlayName(key: string): string | undefined {
  let name: string | undefined;
  if (key.startsWith(SCHILY)) name = key.slice(SCHILY.length);
  else if (key.startsWith(LIBARCHIVE)) {
    try {
      name = decodeURIComponent(key.slice(LIBARCHIVE.length));
    } catch {
      // Not one that libarchive reads.
    }
  }
  return name !== undefined && OVERLAY.test(name)
    ? name.replace(OVERLAY, "")
    : undefined;
}

/** Whether a PAX record is an extended attribute of overlayfs. */
export function isOverlayAttribute(key: string): boolean {
  return overlayName(key) !== undefined;
}

/** What overlayfs's attributes say of an entry. */
export interface OverlayMarks {
  /** Whether a directory hides what is below it in lower layers. */
  opaque: boolean;
  /** Whether its contents are at another path of a lower layer. */
  redirect: boolean;
  /** Whether its data is in a lower layer, and only its metadata here. */
  metacopy: boolean;
}

/**
 * Reads overlayfs's attributes of an entry.
 *
 * @returns `undefined` if it has none.
 */
export function overlayMarks(
  { entry, globals }: StoredEntry,
): OverlayMarks | undefined {
  // Nearly all entries have neither.
  if (entry.records.length === 0 && globals.size === 0) return undefined;
  const isMarked = entry.records.some(([key]) => isOverlayAttribute(key)) ||
    globals.size > 0;
  if (!isMarked) return undefined;
  const records = new Map<string, PaxRecord[1]>([...globals, ...entry.records]);
  let marks: OverlayMarks | undefined;
  for (const [key, value] of records) {
    const name = overlayName(key);
    if (name === undefined) continue;
    marks ??= { opaque: false, redirect: false, metacopy: false };
    const text = asciiText(value);
    // "eQ" is "y" in base64.
    if (name === "opaque") {
      marks.opaque ||= text === "y" || /^eQ/.test(text);
    } else if (name === "redirect") marks.redirect = true;
    else if (name === "metacopy") marks.metacopy = true;
  }
  return marks;
}
