import { DatabaseError } from "./database_error.ts";
import { licenceExpression } from "./licence.ts";
import { fact, type FoundPackage, known } from "./package.ts";
import { SqliteFile } from "./sqlite.ts";

/** Tags of rpm's headers (rpm, include/rpm/rpmtag.h). */
const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  url: 1020,
  arch: 1022,
  sourcerpm: 1044,
  dirindexes: 1116,
  basenames: 1117,
  dirnames: 1118,
} as const;

/** Types of their values. */
const INT32 = 4;
const STRING = 6;
const STRINGS = 8;
const I18N = 9;

/** Values of a tag at most, as in rpm. */
const MAX_COUNT = 1 << 20;

/**
 * Reads rpm's database as SQLite, as rpm 4.16 and newer have it: a header of
 * each package in a table. Keys, which `rpm -qa` prints as packages with the
 * name gpg-pubkey, are left out.
 *
 * @param withFiles Whether the paths of the packages' files are kept.
 * @throws {DatabaseError} If the database is damaged.
 */
export function readRpmSqlite(
  bytes: Uint8Array,
  withFiles: boolean,
): FoundPackage[] {
  const packages: FoundPackage[] = [];
  for (const row of new SqliteFile(bytes).rows("Packages")) {
    const blob = row.at(-1);
    if (!(blob instanceof Uint8Array)) {
      throw new DatabaseError("a row has no header");
    }
    const found = packageOf(new RpmHeader(blob), withFiles);
    if (found) packages.push(found);
  }
  return packages;
}

function packageOf(
  header: RpmHeader,
  withFiles: boolean,
): FoundPackage | undefined {
  const name = fact(header.text(TAG.name));
  const upstream = fact(header.text(TAG.version));
  if (name === undefined || upstream === undefined) {
    throw new DatabaseError("a header names no package");
  }
  if (name === "gpg-pubkey") return undefined;
  const release = fact(header.text(TAG.release));
  const epoch = header.number(TAG.epoch);
  const version = `${epoch ? `${epoch}:` : ""}${upstream}${
    release === undefined ? "" : `-${release}`
  }`;
  const architecture = fact(header.text(TAG.arch));
  const licence = licenceExpression(header.text(TAG.license));
  const supplier = fact(header.text(TAG.vendor)) ??
    fact(header.text(TAG.packager));
  const homepage = fact(header.text(TAG.url));
  // NAME-VERSION-RELEASE.src.rpm
  const [, source, sourceVersion] = /^(.+)-([^-]+-[^-]+)\.[^.]+\.rpm$/.exec(
    fact(header.text(TAG.sourcerpm)) ?? "",
  ) ?? [];
  return {
    type: "rpm",
    name,
    version,
    ...known({ architecture, licence, supplier, homepage }),
    ...(source !== undefined && sourceVersion !== undefined && {
      source: { name: source, version: sourceVersion },
    }),
    ...(withFiles && { files: filesOf(header) }),
  };
}

function filesOf(header: RpmHeader): string[] {
  const folders = header.texts(TAG.dirnames);
  const indexes = header.numbers(TAG.dirindexes);
  return header.texts(TAG.basenames).map((name, i) =>
    `${folders[indexes[i] ?? -1] ?? "/"}${name}`.replace(/^\/+/, "")
  );
}

/**
 * A header as rpm keeps it: how many tags there are, how long their values are,
 * 16 bytes for each tag, the values (rpm, docs/manual/format_header.md).
 */
class RpmHeader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #tags = new Map<
    number,
    { type: number; at: number; count: number }
  >();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
    if (bytes.length < 8) throw new DatabaseError("a header is cut short");
    const store = 8 + 16 * this.#view.getUint32(0);
    if (store + this.#view.getUint32(4) > bytes.length) {
      throw new DatabaseError("a header is cut short");
    }
    for (let at = 8; at < store; at += 16) {
      this.#tags.set(this.#view.getUint32(at), {
        type: this.#view.getUint32(at + 4),
        at: store + this.#view.getUint32(at + 8),
        count: Math.min(this.#view.getUint32(at + 12), MAX_COUNT),
      });
    }
  }

  /** The text of a tag; of several, the first one. */
  text(tag: number): string | undefined {
    const { type } = this.#tags.get(tag) ?? {};
    if (type !== STRING && type !== STRINGS && type !== I18N) return undefined;
    return this.#strings(tag, 1)[0];
  }

  texts(tag: number): string[] {
    const { type, count = 0 } = this.#tags.get(tag) ?? {};
    return type === STRINGS ? this.#strings(tag, count) : [];
  }

  number(tag: number): number | undefined {
    return this.numbers(tag)[0];
  }

  numbers(tag: number): number[] {
    const { type, at = 0, count = 0 } = this.#tags.get(tag) ?? {};
    if (type !== INT32) return [];
    const numbers: number[] = [];
    for (let i = 0; i < count && at + 4 * i + 4 <= this.#bytes.length; i++) {
      numbers.push(this.#view.getUint32(at + 4 * i));
    }
    return numbers;
  }

  /** Texts that end with a zero byte each. */
  #strings(tag: number, count: number): string[] {
    let { at } = this.#tags.get(tag)!;
    const texts: string[] = [];
    while (texts.length < count && at < this.#bytes.length) {
      const end = this.#bytes.indexOf(0, at);
      if (end < 0) break;
      texts.push(decoder.decode(this.#bytes.subarray(at, end)));
      at = end + 1;
    }
    return texts;
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
