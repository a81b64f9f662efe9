import { FileStretches } from "../streams/file_stretches.ts";
import { type Sha256, sha256 } from "../streams/sha256.ts";
import type { Sink, SinkCopy, SinkHash } from "../streams/sink.ts";
import {
  copyOf,
  type FilePlace,
  fromStream,
  type HashBeside,
  type Source,
} from "../streams/source.ts";

import type { TarReader } from "../tar/reader.ts";
import { headerReader, type SeekableTar } from "../tar/seeking.ts";

/** Where a layer is written while it is read. */
export interface Destination {
  sink: Sink;
  /** Offset in the sink of the layer's first byte. */
  start: number;
  /**
   * Whether another thread hashes the layer only after its last byte: until then
   * there is other work for each core, and after that no other.
   */
  isLate?: boolean;
  /** What writes the layer there, if it has been begun. */
  copy?: SinkCopy | undefined;
}

/**
 * A layer being read: its bytes are hashed and counted and, if it has a
 * destination, written there as they come, from where they can be read again.
 */
export class Intake {
  /** How many bytes have come. */
  size = 0;
  /** The bytes, to be read again. */
  readonly source: Source;
  readonly #given: SeekableTar;
  readonly #destination: Destination | undefined;
  readonly #onRead: ((bytes: number) => void) | undefined;
  #hash: Sha256 | undefined = sha256();
  /** Hashes what is written. */
  #beside: SinkHash | undefined;
  /** Hashes the file that is read. */
  #ofFile: HashBeside | undefined;
  #copy: SinkCopy | undefined;
  #limit = Infinity;
  #onPast: (() => void) | undefined;

  /**
   * Prepares to read.
   *
   * @param onRead Gets how many more bytes have come.
   */
  constructor(
    given: SeekableTar,
    destination?: Destination,
    onRead?: (bytes: number) => void,
  ) {
    this.#given = given;
    this.#destination = destination;
    this.#onRead = onRead;
    this.source = destination
      ? destination.sink.source(destination.start, () => this.size)
      : given;
  }

  /** Calls a function before bytes are given that are past an offset in the sink. */
  watch(limit: number, onPast: () => void): void {
    this.#limit = limit;
    this.#onPast = onPast;
  }

  /** The bytes, in order; each chunk is written before it is given. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const destination = this.#destination;
    if (destination) {
      this.#copy = destination.copy ?? this.#copyTo(destination);
    } else this.#ofFile = this.#given.place && hashOf(this.#given.place);
    if (this.#ofFile) this.#hash = undefined;
    let isComplete = false;
    try {
      for await (const chunk of this.#copy?.chunks() ?? this.#written()) {
        this.size += chunk.length;
        this.#onRead?.(chunk.length);
        // What a thread unpacks may come out larger than it seemed.
        if (destination && destination.start + this.size > this.#limit) {
          this.#onPast?.();
        }
        yield chunk;
      }
      isComplete = true;
    } finally {
      if (!isComplete) {
        this.cancel();
      }
    }
  }

  /**
   * Reads headers alone; if all bytes are to be hashed, another thread does that.
   *
   * @returns `undefined` if that cannot be: then all bytes have to be read.
   */
  headers(hasDigest: boolean): TarReader | undefined {
    const { size, fill, place } = this.#given;
    if (this.#destination || size === undefined || !fill) return undefined;
    if (hasDigest) {
      this.#ofFile = place && hashOf(place);
      if (!this.#ofFile) return undefined;
    }
    this.size = size;
    return headerReader(this.#given);
  }

  /** SHA-256 of all bytes, in hex. They must have come. */
  digest(): Promise<string> {
    const beside = this.#copy ?? this.#beside ?? this.#ofFile;
    const digest = beside ? beside.hex() : Promise.resolve(this.#hash!.hex());
    // Who waits for it sees the failure.
    digest.catch(() => {});
    return digest;
  }

  /** Gives up, after the last byte. */
  cancel(): void {
    this.#copy?.cancel();
    this.#beside?.cancel();
    this.#ofFile?.cancel();
  }

  /** Has two threads copy files, or what is made of them. */
  #copyTo({ sink, start }: Destination): SinkCopy | undefined {
    const { place, patchwork = place && new FileStretches(place) } =
      this.#given;
    const making = patchwork ? copyOf(patchwork) : this.#given.making?.();
    // Parts are made before those ahead of them are given.
    const onMade = (end: number) => {
      if (end > this.#limit) this.#onPast?.();
    };
    return making && sink.copy(making, start, onMade);
  }

  /** The bytes, written and hashed here. */
  async *#written(): AsyncGenerator<Uint8Array> {
    const destination = this.#destination;
    // The sink holds the bytes: a pipe's need no other copy.
    const chunks = destination && this.#given.once?.() ||
      fromStream(this.#given.stream());
    for await (const chunk of chunks) {
      if (destination) await this.#write(chunk, destination);
      this.#hash?.update(chunk);
      this.#beside?.advance(destination!.start + this.size + chunk.length);
      yield chunk;
    }
  }

  async #write(
    chunk: Uint8Array,
    { sink, start, isLate }: Destination,
  ): Promise<void> {
    sink.write(chunk, start + this.size);
    if (this.#hash) {
      this.#beside = sink.hash(start, this.size + chunk.length, isLate);
      // The other hash starts from the first byte: that is quicker than a
      // handover.
      if (this.#beside) this.#hash = undefined;
    }
    await sink.pause();
  }
}

function hashOf(place: FilePlace): HashBeside | undefined {
  return place.hash(place.start, place.size);
}
