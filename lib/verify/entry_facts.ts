import { shownWord } from "../errors/shown.ts";
import { binary, utf8 } from "../streams/bytes.ts";
import { FIELD, numberField, textField } from "../tar/block.ts";
import type { Entry } from "../tar/entry.ts";
import type { Globals } from "../tar/pax.ts";
import { NODE, type Node } from "./entry_table.ts";
import type { PathHash } from "../streams/path_hash.ts";

/** Mode, owner, time and attributes of an entry, as readers take them. */
export interface EntryFacts {
  mode: string;
  owner: string;
  time: string;
  /** Attributes and what else PAX records say, sorted. */
  attributes: string;
}

/** Records that say nothing of the file, or that other fields hold. */
const ELSEWHERE = new Set([
  ...["path", "linkpath", "size", "mtime", "uid", "gid", "uname", "gname"],
  ...["atime", "ctime", "comment", "hdrcharset"],
  // Times that filesystems do not let set, and devices that bsdtar names.
  ...["LIBARCHIVE.creationtime", "SCHILY.dev", "SCHILY.ino", "SCHILY.nlink"],
  "SCHILY.realsize",
]);

/** Reads an entry's facts, PAX records applied. */
export function factsOf(
  bytes: Uint8Array,
  entry: Entry,
  globals: Globals,
): EntryFacts {
  const found = read(bytes, entry, globals);
  const mode = numberField(bytes, FIELD.mode, entry.header)! & 0o7777;
  const names = `${nameText(found.uname)}:${nameText(found.gname)}`;
  return {
    mode: mode.toString(8).padStart(4, "0"),
    owner: `${found.uid}:${found.gid} (${names})`,
    time: found.time,
    attributes: found.attributes,
  };
}

/** An owner's name as a finding may show it. */
function nameText(name: Uint8Array): string {
  return name.length === 0 ? "" : shownWord(new TextDecoder().decode(name));
}

function read(bytes: Uint8Array, entry: Entry, globals: Globals) {
  const records = new Map([...globals, ...entry.records]);
  const number = (key: "uid" | "gid" | "mtime") => {
    const record = records.get(key);
    return record && record.length > 0
      ? plain(binary(record))
      : String(numberField(bytes, FIELD[key], entry.header));
  };
  const name = (key: "uname" | "gname") =>
    records.get(key) ?? textField(bytes, FIELD[key], entry.header);
  return {
    uid: number("uid"),
    gid: number("gid"),
    time: number("mtime"),
    uname: name("uname"),
    gname: name("gname"),
    attributes: [...records]
      .filter(([key]) => !ELSEWHERE.has(key) && !key.startsWith("GNU.sparse."))
      .map(([key, value]) => `${key}=${binary(value)}`)
      .sort().join("\n"),
  };
}

/** A number as text, without zeros that mean nothing. */
function plain(text: string): string {
  return text.replace(/^(-?)0+(?=\d)/, "$1")
    .replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

const numbers = new Float64Array(4);
const numberBytes = new Uint8Array(numbers.buffer);
const ZERO = new Uint8Array(1);

/**
 * A keyed checksum of an entry's facts: the same for the same facts, however
 * the header blocks spell them.
 */
export function factsSum(
  hash: PathHash,
  bytes: Uint8Array,
  entry: Entry,
  globals: Globals,
): number {
  const { header } = entry;
  numbers[0] = numberField(bytes, FIELD.mode, header)! & 0o7777;
  hash.start();
  if (entry.records.length + globals.size === 0) {
    numbers[1] = numberField(bytes, FIELD.uid, header)!;
    numbers[2] = numberField(bytes, FIELD.gid, header)!;
    numbers[3] = numberField(bytes, FIELD.mtime, header)!;
    hash.take(numberBytes);
    hash.take(textField(bytes, FIELD.uname, header));
    hash.take(ZERO);
    hash.take(textField(bytes, FIELD.gname, header));
    hash.take(ZERO);
    return hash.low;
  }
  const { uid, gid, time, uname, gname, attributes } = read(
    bytes,
    entry,
    globals,
  );
  const point = `${time}.`.indexOf(".");
  numbers[1] = Number(uid);
  numbers[2] = Number(gid);
  numbers[3] = Number(time.slice(0, point));
  hash.take(numberBytes);
  hash.take(uname);
  hash.take(ZERO);
  hash.take(gname);
  hash.take(ZERO);
  // Nothing, where whole seconds and no attribute are all that records say.
  hash.take(utf8(time.slice(point)));
  hash.take(utf8(attributes));
  return hash.low;
}

/** What an entry is. */
export function nodeOf(entry: Entry): Node {
  switch (entry.kind) {
    case "directory":
      return NODE.directory;
    case "symlink":
      return NODE.symlink;
    case "device":
      return NODE.device;
    case "fifo":
      return NODE.fifo;
    default:
      return NODE.file;
  }
}

/** Where a symlink leads, or which device it is, as text. */
export function extraOf(bytes: Uint8Array, entry: Entry): string {
  if (entry.kind === "symlink") return binary(entry.link);
  if (entry.kind !== "device") return "";
  const [major, minor] = deviceOf(bytes, entry);
  return `${entry.flag === 0x33 ? "character" : "block"} ${major}:${minor}`;
}

/** A device's numbers. */
export function deviceOf(
  bytes: Uint8Array,
  { header }: Entry,
): [number, number] {
  return [
    numberField(bytes, FIELD.devmajor, header) ?? 0,
    numberField(bytes, FIELD.devminor, header) ?? 0,
  ];
}
