import { InputError } from "../errors/input_error.ts";
import { sha256, type SideHash } from "../streams/sha256.ts";

/** Starts a hash of so many bytes in another thread, if that is worth it. */
export type HashBeside = (size: number) => SideHash | undefined;

/** What a file of the archive has to be. */
export interface Claim {
  /** What the error calls it. */
  path: string;
  /** Its SHA-256, in hex. */
  digest: string;
}

/** Checks the bytes of a file as they pass. */
export class BlobCheck {
  readonly #claim: Claim;
  readonly #hash: SideHash;

  /** @param size How many bytes will come. */
  constructor(claim: Claim, size: number, hashBeside?: HashBeside) {
    this.#claim = claim;
    this.#hash = hashBeside?.(size) ?? sha256();
  }

  /** Takes the next bytes; gives a promise if there is no room for more. */
  update(bytes: Uint8Array): Promise<void> | void {
    return this.#hash.update(bytes);
  }

  /** @throws {InputError} If the bytes are others. */
  async end(): Promise<void> {
    checkDigest(this.#claim, await this.#hash.hex());
  }

  /** Gives up. */
  cancel(): void {
    void this.#hash.cancel?.();
  }
}

/**
 * Compares a file's digest with what it has to be.
 *
 * @throws {InputError} If it is another one.
 */
export function checkDigest({ path, digest }: Claim, found: string): void {
  if (found === digest) return;
  throw new InputError(
    `${path} is damaged: its digest is sha256:${found}, not sha256:${digest}`,
  );
}
