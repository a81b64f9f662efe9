import { jsonText } from "../formats/json_text.ts";
import { utf8 } from "../streams/bytes.ts";

/**
 * What cosign signs of an image in a registry.
 *
 * @param reference The image's name there, without a tag.
 * @param digest The digest of its manifest, such as `sha256:…`.
 *
 * @see {@link https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md}
 */
export function simpleSigning(reference: string, digest: string): Uint8Array {
  return utf8(jsonText({
    critical: {
      identity: { "docker-reference": reference },
      image: { "docker-manifest-digest": digest },
      type: "cosign container image signature",
    },
    optional: null,
  }));
}
