import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { bytesDigest } from "../streams/sha256.ts";
import { type FileSource, type ImageFiles, readBytes } from "./image_files.ts";

/** Reads a document that an image must have. */
export async function neededDocument(
  files: ImageFiles,
  path: string,
): Promise<Uint8Array> {
  const document = await readBytes(files, path);
  if (document === undefined) {
    throw new InputError(`${shownWord(path)} is missing`);
  }
  return document;
}

/** Finds a layer that an image must have. */
export async function neededLayer(
  files: ImageFiles,
  path: string,
): Promise<FileSource> {
  const file = await files.open(path);
  if (!file) throw new InputError(`The layer ${shownWord(path)} is missing`);
  return file;
}

/** Refuses a document that has not the digest, in hex, that its name says. */
export function checkDigest(
  path: string,
  bytes: Uint8Array,
  digest: string,
): void {
  const found = bytesDigest(bytes);
  if (found !== digest) {
    throw new InputError(
      `${shownWord(path)} is damaged: its digest is sha256:${found}`,
    );
  }
}
