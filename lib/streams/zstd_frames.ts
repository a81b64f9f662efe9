/** What of a frame comes next. */
type Part = "magic" | "skippable" | "header" | "fields" | "block" | "skip";

/**
 * Follows the structure of a zstd file (RFC 8878, section 3.1) without taking
 * its compression off, to tell whether it ends where a frame does. Bun's
 * decompressor takes a file that is cut short for a whole one, and passes over
 * whatever stands behind the last frame.
 */
export class ZstdFrames {
  #part: Part = "magic";
  /** Bytes of the part that has come in pieces so far. */
  #held: number[] = [];
  /** How many bytes the part needs. */
  #wanted = 4;
  #hasChecksum = false;
  /** Whether the bytes to skip are the last ones of a frame. */
  #last = false;
  #frames = 0;
  #isBroken = false;

  /** Whether the bytes so far are whole frames, at least one of them. */
  get isComplete(): boolean {
    return !this.#isBroken && this.#frames > 0 && this.#part === "magic" &&
      this.#held.length === 0;
  }

  /** Takes the next bytes of the file. */
  feed(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && !this.#isBroken;) {
      if (this.#part === "skip") {
        const count = Math.min(this.#wanted, bytes.length - i);
        i += count;
        this.#wanted -= count;
        if (this.#wanted === 0) this.#skipped();
        continue;
      }
      this.#held.push(bytes[i++]!);
      if (this.#held.length === this.#wanted) this.#take();
    }
  }

  #expect(part: Part, wanted: number): void {
    this.#part = part;
    this.#wanted = wanted;
    this.#held = [];
    if (wanted === 0) part === "skip" ? this.#skipped() : this.#take();
  }

  #skipped(): void {
    if (!this.#last) return this.#expect("block", 3);
    this.#frames++;
    this.#expect("magic", 4);
  }

  /** Acts on a part that is there as a whole. */
  #take(): void {
    const number = this.#held.reduceRight((sum, byte) => sum * 256 + byte, 0);
    switch (this.#part) {
      case "magic":
        if (number === 0xfd2fb528) return this.#expect("header", 1);
        if (number >= 0x184d2a50 && number <= 0x184d2a5f) {
          return this.#expect("skippable", 4);
        }
        this.#isBroken = true;
        return;
      case "skippable":
        this.#last = true;
        return this.#expect("skip", number);
      case "header": {
        // Frame_Header_Descriptor: flags for the fields behind it.
        const isSingle = (number & 0x20) !== 0;
        this.#hasChecksum = (number & 4) !== 0;
        const dictionary = [0, 1, 2, 4][number & 3]!;
        const content = [isSingle ? 1 : 0, 2, 4, 8][number >> 6]!;
        return this.#expect(
          "fields",
          (isSingle ? 0 : 1) + dictionary + content,
        );
      }
      case "fields":
        return this.#expect("block", 3);
      case "block": {
        const isRepeat = ((number >> 1) & 3) === 1;
        this.#last = (number & 1) === 1;
        const checksum = this.#last && this.#hasChecksum ? 4 : 0;
        return this.#expect("skip", (isRepeat ? 1 : number >> 3) + checksum);
      }
    }
  }
}
