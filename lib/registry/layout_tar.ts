import { toStream } from "../streams/source.ts";
import { closing, newHeader, padding } from "../tar/header.ts";
import type { LayoutFile } from "./layout_files.ts";

/**
 * An OCI image layout as a tar, which skopeo and podman call `oci-archive:`. The
 * same image gives the same bytes.
 *
 * @param files The layout's files; documents go first, as readers want them.
 * @throws {InputError} If a file is damaged, before the tar is whole.
 */
export function layoutTar(
  files: readonly LayoutFile[],
): ReadableStream<Uint8Array> {
  async function* tar() {
    for (const { path, size, read } of [...files].reverse()) {
      yield newHeader({ path, type: "file", size });
      yield* read();
      yield padding(size);
    }
    yield closing();
  }
  return toStream(tar());
}
