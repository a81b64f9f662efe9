import type { FileSource } from "../read/image_files.ts";
import { readAt } from "../streams/source.ts";
import { isZstdFrame, skippedTo } from "../tar/skip_header.ts";
import type { Findings } from "./finding.ts";

/**
 * Whether zstd decoders skip the whole of a tar and find a frame with data right
 * after it. Notes it if they get to anything else.
 *
 * @param end Where the first byte is after the tar's end; -1 if there is none.
 * @param entry What the tar is, as findings show it; empty for the whole file.
 */
export async function hasView(
  source: FileSource,
  end: number,
  findings: Findings,
  entry = "",
): Promise<boolean> {
  const to = await skippedTo(source, source.size);
  if (to === undefined) return false;
  const frame = to < 0 ? new Uint8Array(0) : await readAt(source, to, 4);
  if (entry === "" && to === end && isZstdFrame(frame)) return true;
  findings.add(
    "zstd-view",
    entry,
    "it starts as a zstd frame that decoders skip, and they get to " +
      (to < 0 || to >= source.size ? "its end" : `byte ${to}`) +
      ", which is not where the tar ends",
  );
  return false;
}
