import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { list, object, optional, Place, record, text } from "../read/shape.ts";
import type { SignedClaims } from "./check_signature.ts";
import type { ImageClaims } from "./image_claims.ts";

const CLAIMS = object({
  images: optional(list(object({
    manifest: optional(text),
    config: optional(text),
    layers: optional(list(object({ digest: optional(text) }))),
  }))),
  faces: optional(record(list(object({ path: text, digest: text })))),
  aciId: optional(text),
});

/**
 * Refuses a signature that says of its file what is not so: whoever signs must
 * not name other images than those that engines find.
 *
 * @param signed What the signature says.
 * @param found What is in the file.
 * @throws {InputError} If a digest of the one is not in the other.
 */
export function compareClaims(signed: SignedClaims, found: ImageClaims): void {
  const claims = CLAIMS(signed, new Place("Its statement"));
  const digests = new Set(
    found.images.flatMap(({ manifest, config, layers }) => [
      manifest,
      config,
      ...layers.map(({ digest }) => digest),
    ]),
  );
  for (const { manifest, config, layers = [] } of claims.images ?? []) {
    const named = [manifest, config, ...layers.map(({ digest }) => digest)];
    const wrong = named.find((digest) => digest && !digests.has(digest));
    if (wrong !== undefined) throw falseClaim(wrong, "no image in it has that");
  }
  const documents = new Map(
    Object.values(found.faces).flat().map(({ path, digest }) => [path, digest]),
  );
  for (const { path, digest } of [...claims.faces?.values() ?? []].flat()) {
    const is = documents.get(path);
    if (is !== digest) {
      throw falseClaim(
        digest,
        `it says that of ${shown(path)}, which ${
          is === undefined ? "is not there" : `has ${is}`
        }`,
      );
    }
  }
  if (claims.aciId !== undefined && claims.aciId !== found.aciId) {
    throw falseClaim(claims.aciId, "rkt gives the image another ID");
  }
}

function falseClaim(digest: string, reason: string): InputError {
  return new InputError(
    `It is right, but names ${
      shown(digest)
    }, and ${reason}: do not trust who ` +
      "signed it",
  );
}
