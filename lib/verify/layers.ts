import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import {
  type Compression,
  compressionOf,
  LOOKED_AT,
} from "../streams/compression.ts";
import { sha256 } from "../streams/sha256.ts";
import { fromStream, readAt } from "../streams/source.ts";
import { checkWalk, type OpenedFile } from "./archive_files.ts";
import type { DocumentReader } from "./document_reader.ts";
import type { LayerRef } from "./face_image.ts";
import { LayerStackCheck, type RootfsTree } from "./layer_stack_check.ts";
import type { PathHash } from "../streams/path_hash.ts";
import type { RuleName } from "./rules.ts";
import { walkTar } from "./walk_tar.ts";

/** Takes a compression off. */
export type Decompress = (
  chunks: AsyncGenerator<Uint8Array>,
  compression: Compression,
  name: string,
) => AsyncGenerator<Uint8Array>;

/** Reads and checks layers, each once. */
export class LayerReader {
  readonly #reader: DocumentReader;
  readonly #hash: PathHash;
  readonly #decompress: Decompress;
  /** The layers that have been read, by path. */
  readonly #read = new Map<
    string,
    { diffId: string; compression?: Compression }
  >();
  /** Findings so far: several faces name one layer, but each comes once. */
  readonly #reported = new Set<string>();

  constructor(reader: DocumentReader, hash: PathHash, decompress: Decompress) {
    this.#reader = reader;
    this.#hash = hash;
    this.#decompress = decompress;
  }

  /**
   * Checks the layers of an image, and compares what they make with rootfs/.
   *
   * @param layers Lowest first.
   * @param isOwn As for {@linkcode LayerStackCheck.finish}.
   */
  async checkImage(
    layers: LayerRef[],
    rootfs?: RootfsTree,
    isOwn: (path: string) => boolean = () => false,
  ): Promise<void> {
    const { findings, files } = this.#reader;
    const stack = new LayerStackCheck(this.#hash, findings, rootfs);
    const seen = new Set<string>();
    let isWhole = true;
    for (const [i, layer] of [...layers.entries()].reverse()) {
      const file = await files.open(layer.path);
      if (!file || /in-toto/.test(layer.mediaType ?? "")) {
        isWhole = false;
        continue;
      }
      const known = this.#read.has(file.path);
      // The same layer again further up hides all of this one.
      if (!seen.has(file.path) && (rootfs || !known)) {
        const where = layers.length > 1
          ? ` in layer ${i + 1}`
          : " in the layer";
        if (!await this.#check(layer, file, stack, where)) isWhole = false;
      }
      seen.add(file.path);
      this.#compare(layer, file.path);
    }
    if (isWhole) await stack.finish(isOwn);
  }

  /** Reads a layer; returns whether it got to the end. */
  async #check(
    layer: LayerRef,
    file: OpenedFile,
    stack: LayerStackCheck,
    where: string,
  ): Promise<boolean> {
    const { findings } = this.#reader;
    const entry = shown(layer.path);
    const { source } = file;
    const compression = compressionOf(await readAt(source, 0, LOOKED_AT));
    const stored = sha256();
    const uncompressed = compression ? sha256() : stored;
    async function* hashed() {
      for await (const chunk of fromStream(source.stream())) {
        stored.update(chunk);
        yield chunk;
      }
    }
    const chunks = compression
      ? this.#decompress(hashed(), compression, layer.path)
      : fromStream(source.stream());
    stack.begin(where);
    let isWhole = false;
    try {
      const walked = await walkTar(chunks, {
        entry: (found) => stack.entry(found),
        raw: (bytes) => uncompressed.update(bytes),
      });
      await checkWalk(
        walked,
        compression ? undefined : source,
        findings,
        entry,
      );
      isWhole = !walked.fault;
    } catch (error) {
      if (error instanceof FileError && compression) {
        findings.add("layer-compression", entry, error.message);
        await stack.end(undefined);
        return false;
      }
      if (!(error instanceof InputError)) throw error;
      findings.add("tar-header", entry, `it is no layer: ${error.message}`);
    }
    await stack.end(compression ? undefined : source);
    const diffId = uncompressed.hex();
    this.#reader.checkBlob(file.path, compression ? stored.hex() : diffId);
    this.#read.set(file.path, { diffId, ...(compression && { compression }) });
    return isWhole;
  }

  /** Compares a layer with what documents say of it. */
  #compare({ path, diffId, mediaType }: LayerRef, real: string): void {
    const found = this.#read.get(real);
    if (!found) return;
    if (diffId !== undefined && diffId !== found.diffId) {
      this.#tell(
        "diff-id",
        path,
        `its uncompressed bytes have the digest sha256:${found.diffId}, the ` +
          `image config says sha256:${diffId}`,
      );
    }
    if (mediaType === undefined) return;
    const { compression } = found;
    const wanted = /\+?gzip$/.test(mediaType)
      ? "gzip"
      : /\+?zstd$/.test(mediaType)
      ? "zstd"
      : /tar$/.test(mediaType)
      ? undefined
      : compression;
    if (wanted === compression) return;
    this.#tell(
      "layer-compression",
      path,
      `its compression is ${compression ?? "none"}, its media type says ` +
        (wanted ?? "none"),
    );
  }

  #tell(rule: RuleName, path: string, message: string): void {
    const key = `${rule} ${path} ${message}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#reader.findings.add(rule, shown(path), message);
  }
}
