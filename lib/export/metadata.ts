import type { FileMetadata } from "./new_files.ts";
import { FIELD, numberField } from "../tar/block.ts";
import { paxNumber } from "../tar/pax.ts";
import type { Passing } from "./pass.ts";

/** What an entry says of its file besides path and contents. */
export function metadataOf({ entry, bytes, globals }: Passing): FileMetadata {
  const number = (field: "mode" | "uid" | "gid" | "mtime") =>
    numberField(bytes, FIELD[field], entry.header) ?? 0;
  const metadata = {
    mode: number("mode") & 0o7777,
    uid: number("uid"),
    gid: number("gid"),
    mtime: number("mtime"),
  };
  for (const [key, value] of [...globals, ...entry.records]) {
    if (key !== "uid" && key !== "gid" && key !== "mtime") continue;
    metadata[key] = paxNumber(value) ?? metadata[key];
  }
  return metadata;
}

/** Major and minor number of a device. */
export function deviceNumbers({ entry, bytes }: Passing): number[] {
  return [FIELD.devmajor, FIELD.devminor].map((field) =>
    numberField(bytes, field, entry.header) ?? 0
  );
}
