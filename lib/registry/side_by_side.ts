import { inParallel } from "../streams/in_parallel.ts";

/** Blobs that are uploaded side by side. */
const UPLOADS = 4;

/** One of several things that are uploaded side by side. */
export interface Upload<R> {
  /** Size in bytes, as far as it is known. */
  size: number;
  /** Uploads it; the signal stops it. */
  run: (signal: AbortSignal) => Promise<R>;
}

/**
 * Uploads several blobs side by side, the largest ones first: it takes longest
 * where a large one is alone at the end. If one fails, the others stop after the
 * chunks that are on their way, and the failure comes when they have.
 *
 * @param uploads The blobs, or what they are made of.
 * @param signal Stops them.
 * @returns What they give, in their order here.
 */
export async function sideBySide<R>(
  uploads: readonly Upload<R>[],
  signal: AbortSignal | undefined,
): Promise<R[]> {
  const failure = new AbortController();
  const either = signal
    ? AbortSignal.any([signal, failure.signal])
    : failure.signal;
  const work = new Map<Upload<R>, Promise<R>>();
  const largestFirst = uploads.toSorted((a, b) => b.size - a.size);
  try {
    await inParallel(largestFirst, UPLOADS, async (upload) => {
      const one = upload.run(either);
      work.set(upload, one);
      await one;
    });
    return await Promise.all(uploads.map((upload) => work.get(upload)!));
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(work.values());
    throw error;
  }
}
