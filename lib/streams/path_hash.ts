/**
 * A keyed 64-bit hash that takes bytes piece by piece and can be read after
 * each piece, so that one pass over a path hashes all directories above it.
 * Without the key nobody can make two paths with one hash.
 */
export class PathHash {
  /** Lower half of the hash as of the last {@linkcode take}. */
  low = 0;
  /** Upper half of it. */
  high = 0;
  // Fields, and two lanes of multiply-and-rotate that feed each other: each
  // entry is hashed several times, and an array for each hash costs time.
  #a = 0;
  #b = 0;
  #markedA = 0;
  #markedB = 0;
  readonly #key = crypto.getRandomValues(new Uint32Array(2));

  /** Starts anew. */
  start(): void {
    this.#a = this.#key[0]!;
    this.#b = this.#key[1]!;
  }

  /** Remembers what has been taken, for {@linkcode resume}. */
  mark(): void {
    this.#markedA = this.#a;
    this.#markedB = this.#b;
  }

  /** Starts with what had been taken at the last {@linkcode mark}. */
  resume(): void {
    this.#a = this.#markedA;
    this.#b = this.#markedB;
  }

  /**
   * Takes the bytes from `from` up to, not including, `to`, and mixes the lanes
   * into the hash of all bytes so far; they can go on.
   */
  take(bytes: Uint8Array, from = 0, to = bytes.length): void {
    // No fields in the loop: it goes over every byte of every path.
    let a = this.#a;
    let b = this.#b;
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!;
      a = Math.imul(a ^ byte, 0x9e3779b1);
      b = Math.imul(b ^ byte ^ (a >>> 15), 0x85ebca6b);
      a = ((a << 13) | (a >>> 19)) ^ b;
    }
    this.#a = a;
    this.#b = b;
    a = Math.imul(a ^ (a >>> 16) ^ b, 0xc2b2ae35);
    b = Math.imul(b ^ (b >>> 13) ^ a, 0x27d4eb2f);
    this.low = (a ^ (a >>> 15) ^ (b >>> 7)) >>> 0;
    this.high = (b ^ (b >>> 16) ^ Math.imul(a, 0x165667b1)) >>> 0;
  }

  /** Hashes all of some bytes. */
  of(bytes: Uint8Array, length = bytes.length): void {
    this.start();
    this.take(bytes, 0, length);
  }

  /** The lower half of the hash of a text. */
  text(text: string): number {
    this.start();
    this.take(encoder.encode(text));
    return this.low;
  }
}

const encoder = new TextEncoder();
