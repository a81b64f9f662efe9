import { ascii, concat } from "../../lib/streams/bytes.ts";

/** An entry for {@linkcode entryOf}. Strings hold one character for each byte. */
export interface TarEntry {
  name: string;
  /** Type flag; `0`, a regular file, unless given. */
  type?: string;
  link?: string;
  /** Permission bits; 0644 unless given. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Size that the header tells; that of `data` unless given. */
  size?: number;
  /** Seconds since 1970; 2015-06-07 08:09:10 UTC unless given. */
  mtime?: number;
  device?: [major: number, minor: number];
  data?: string;
  /** Dialect of the header; ustar unless given. */
  dialect?: "v7" | "ustar" | "gnu";
  /** Ustar's prefix field. */
  prefix?: string;
  /** Records of a PAX header in front. */
  pax?: [key: string, value: string][];
  /** A GNU long name in front. */
  longName?: string;
  /** A GNU long link name in front. */
  longLink?: string;
  /** Bytes that are put over the header block, by their offset, before its sum. */
  raw?: [offset: number, bytes: string][];
  /** A checksum that is wrong. */
  badChecksum?: boolean;
}

const BLOCK = 512;

/** Writes one entry without any check, so that it can be a wrong one. */
export function entryOf(entry: TarEntry): Uint8Array {
  const { pax, longName, longLink, data = "" } = entry;
  const before: Uint8Array[] = [];
  if (pax) before.push(paxHeader(pax));
  if (longLink !== undefined) before.push(longEntry("K", longLink));
  if (longName !== undefined) before.push(longEntry("L", longName));
  return concat([...before, headerBlock(entry), blocks(ascii(data))]);
}

/** Writes a tar of entries, closed by two blocks of zeros. */
export function tarOf(entries: (TarEntry | Uint8Array)[]): Uint8Array {
  return concat([
    ...entries.map((entry) =>
      entry instanceof Uint8Array ? entry : entryOf(entry)
    ),
    new Uint8Array(2 * BLOCK),
  ]);
}

/** A PAX header of records, or a global one. */
export function paxHeader(
  records: [key: string, value: string][] | string,
  type: "x" | "g" = "x",
): Uint8Array {
  const data = typeof records === "string"
    ? records
    : records.map(([key, value]) => paxRecord(key, value)).join("");
  return entryOf({ name: "PaxHeader", type, data });
}

/** One PAX record; its length counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (`${length}`.length + rest.length !== length) {
    length = `${length}`.length + rest.length;
  }
  return length + rest;
}

function longEntry(type: string, text: string): Uint8Array {
  const data = `${text}\0`;
  return entryOf({ name: "././@LongLink", type, data, dialect: "gnu" });
}

function headerBlock(entry: TarEntry): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string, length = text.length) =>
    block.set(ascii(text).subarray(0, length), at);
  const number = (at: number, length: number, value: number) => {
    const digits = value.toString(8);
    if (value >= 0 && digits.length < length) {
      return put(at, digits.padStart(length - 1, "0"));
    }
    // GNU's base 256, two's complement.
    let rest = BigInt.asUintN(8 * length, BigInt(value));
    for (let i = at + length - 1; i >= at; i--, rest >>= 8n) {
      block[i] = Number(rest & 255n);
    }
    block[at]! |= 0x80;
  };
  put(0, entry.name, 100);
  number(100, 8, entry.mode ?? 0o644);
  number(108, 8, entry.uid ?? 0);
  number(116, 8, entry.gid ?? 0);
  number(124, 12, entry.size ?? entry.data?.length ?? 0);
  number(136, 12, entry.mtime ?? 1433664550);
  put(156, entry.type ?? "0");
  put(157, entry.link ?? "", 100);
  if (entry.dialect !== "v7") {
    put(257, entry.dialect === "gnu" ? "ustar  \0" : "ustar\x0000");
    const [major, minor] = entry.device ?? [0, 0];
    number(329, 8, major);
    number(337, 8, minor);
  }
  put(345, entry.prefix ?? "", 155);
  for (const [offset, text] of entry.raw ?? []) put(offset, text);
  put(148, " ".repeat(8));
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(
    148,
    `${(entry.badChecksum ? sum + 1 : sum).toString(8)}\0 `.padStart(8, "0"),
  );
  return block;
}

/** Bytes with the zeros that bring them to whole blocks. */
function blocks(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(data.length / BLOCK) * BLOCK);
  padded.set(data);
  return padded;
}
