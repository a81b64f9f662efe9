import { inParallel } from "../streams/in_parallel.ts";
import type { Sink } from "../streams/sink.ts";
import { writeChecked } from "../streams/write_checked.ts";
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

/** Blobs that are written side by side. */
const AT_ONCE = 4;

/**
 * Writes the tar that {@linkcode layoutTar} streams into a file. The places of
 * all files are known before they come, so several come side by side.
 *
 * @param files As there.
 * @param sink The file.
 * @param onBytes Gets the number of bytes that were written.
 * @throws {InputError} If a file is damaged.
 */
export async function writeLayoutTar(
  files: readonly LayoutFile[],
  sink: Sink,
  onBytes: (count: number) => void,
): Promise<void> {
  let end = 0;
  const write = (bytes: Uint8Array) => {
    sink.write(bytes, end);
    end += bytes.length;
  };
  const places = [...files].reverse().map((file) => {
    write(newHeader({ path: file.path, type: "file", size: file.size }));
    const start = end;
    end += file.size;
    write(padding(file.size));
    return { ...file, start };
  });
  write(closing());
  await inParallel(
    places,
    AT_ONCE,
    (file) => writeChecked(file, sink, file.start, onBytes),
  );
  sink.end(end);
}
