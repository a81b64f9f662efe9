import { inParallel } from "../streams/in_parallel.ts";

/** How things are uploaded side by side. */
export interface SideBySideOptions {
  /** Blobs that are uploaded side by side; 4 unless given. */
  parallel?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Uploads several blobs side by side. If one fails, the others stop after the
 * chunks that are on their way, and the failure comes when they have.
 *
 * @param items The blobs, or what they are made of.
 * @param options How many at a time, and what stops them.
 * @param upload Uploads one; the signal stops it.
 * @returns What that gives, in the order of the items.
 */
export async function sideBySide<T, R>(
  items: readonly T[],
  { parallel = 4, signal }: SideBySideOptions,
  upload: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const failure = new AbortController();
  const either = signal
    ? AbortSignal.any([signal, failure.signal])
    : failure.signal;
  const work: Promise<R>[] = [];
  try {
    return await inParallel(items, parallel, (item) => {
      const one = upload(item, either);
      work.push(one);
      return one;
    });
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(work);
    throw error;
  }
}
