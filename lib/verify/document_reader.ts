import { counted } from "../errors/counted.ts";
import { shown } from "../errors/shown.ts";
import { parseJson } from "../formats/json_text.ts";
import { isUtf8 } from "../streams/bytes.ts";
import { sha256 } from "../streams/sha256.ts";
import { fromStream, readAt } from "../streams/source.ts";
import type { Files } from "./archive_files.ts";
import type { Findings } from "./finding.ts";
import { repeatedKey } from "./json_check.ts";
import type { RuleName } from "./rules.ts";
import type { Shape } from "./shape.ts";

/** Documents larger than this are refused, in bytes. */
const MAX_DOCUMENT = 1 << 24;
/** containerd and registries take no larger manifest. */
const MAX_MANIFEST = 1 << 22;

/** What a document has to be. */
export interface Wanted {
  /** The rule that it breaks if it has another form. */
  rule: RuleName;
  shape: Shape;
  /** Whether its keys, and those of objects in it, are the user's. */
  isMap?: boolean | undefined;
  /** Whether it may be YAML. */
  parse?: ((text: string) => unknown) | undefined;
}

/** A document that has been read. */
export interface Document {
  /** What it says; nothing if that is no JSON. */
  value: unknown;
  text: string;
  /** SHA-256 of its bytes, in hex. */
  digest: string;
  size: number;
  /** Whether it has the form that it should have. */
  isGood: boolean;
}

/** Reads and checks documents, each once. */
export class DocumentReader {
  readonly files: Files;
  readonly findings: Findings;
  /** Paths of blobs whose bytes have been hashed. */
  readonly hashed = new Set<string>();
  readonly #read = new Map<string, Document>();

  constructor(files: Files, findings: Findings) {
    this.files = files;
    this.findings = findings;
  }

  /**
   * Reads a document.
   *
   * @returns `undefined` if there is none.
   */
  async read(path: string, wanted: Wanted): Promise<Document | undefined> {
    const key = `${wanted.rule} ${path}`;
    const known = this.#read.get(key);
    if (known) return known;
    const file = await this.files.open(path);
    if (!file) return undefined;
    const { size } = file.source;
    const entry = shown(path);
    if (size > MAX_DOCUMENT) {
      this.findings.add(
        "document-size",
        entry,
        `it has ${counted(size, "byte")}`,
      );
      return undefined;
    }
    if (size > MAX_MANIFEST && wanted.rule === "oci-schema") {
      this.findings.add(
        "document-size",
        entry,
        `it has ${counted(size, "byte")}`,
      );
    }
    const bytes = await readAt(file.source, 0, size);
    const hash = sha256();
    hash.update(bytes);
    const digest = hash.hex();
    this.checkBlob(path, digest);
    const document = this.#parse(path, bytes, digest, wanted);
    this.#read.set(key, document);
    return document;
  }

  #parse(
    path: string,
    bytes: Uint8Array,
    digest: string,
    { rule, shape, isMap, parse }: Wanted,
  ): Document {
    const entry = shown(path);
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const document: Document = {
      value: undefined,
      text,
      digest,
      size: bytes.length,
      isGood: false,
    };
    if (!isUtf8(bytes) || text.startsWith("\ufeff")) {
      this.findings.add(
        "json-syntax",
        entry,
        "it is not UTF-8, or starts with a byte order mark",
      );
      return document;
    }
    try {
      document.value = parse ? parse(text) : parseJson("it", text);
    } catch (error) {
      this.findings.add(
        "json-syntax",
        entry,
        parse
          ? `it cannot be read: ${shown((error as Error).message)}`
          : (error as Error).message,
      );
      return document;
    }
    const twice = parse ? undefined : repeatedKey(text, isMap);
    if (twice !== undefined) {
      this.findings.add(
        "json-repeated-key",
        entry,
        `${shown(twice)} comes twice in an object`,
      );
    }
    document.isGood = true;
    shape(document.value, "", (place, message) => {
      document.isGood = false;
      this.findings.add(rule, entry, `${place} ${message}`);
    });
    return document;
  }

  /** Checks a blob's digest against its name. */
  checkBlob(path: string, digest: string): void {
    const [, name] = /^blobs\/sha256\/([^/]+)$/.exec(path) ?? [];
    if (name === undefined || this.hashed.has(path)) return;
    this.hashed.add(path);
    if (name !== digest) {
      this.findings.add(
        "blob-digest",
        shown(path),
        `its digest is sha256:${digest}`,
      );
    }
  }

  /** Hashes the blobs that no other check has read. */
  async checkOtherBlobs(named: ReadonlySet<string>): Promise<void> {
    for (const path of this.files.blobs) {
      if (!named.has(path)) {
        this.findings.add("blob-unused", shown(path), "no document names it");
      }
      if (this.hashed.has(path) || !path.startsWith("blobs/sha256/")) continue;
      const file = await this.files.open(path);
      const hash = sha256();
      for await (const chunk of fromStream(file!.source.stream())) {
        hash.update(chunk);
      }
      this.checkBlob(path, hash.hex());
    }
  }
}
