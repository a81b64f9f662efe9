import type { Pushed, PushOptions } from "../registry/push_image.ts";
import { formatReference, type Reference } from "../registry/reference.ts";
import { host } from "../system/host.ts";
import { uploadMemory } from "../system/upload_memory.ts";
import { gentleStop } from "./gentle_stop.ts";
import type { Parsed } from "./options.ts";
import {
  knownLayer,
  packLayer,
  packPieces,
  type PushPacking,
} from "./pack_layer.ts";
import type { Progress } from "./progress.ts";
import type { AttachedSbom } from "./push_sbom.ts";
import { printJson, printLines, say } from "./say.ts";

/** Counts of what became of the blobs. */
export interface Counts {
  uploaded: number;
  mounted: number;
  present: number;
  /** Bytes that were sent. */
  bytes: number;
  /** What was pushed beside the image. */
  sboms: AttachedSbom[];
}

/** Counts of nothing yet. */
export function newCounts(): Counts {
  return { uploaded: 0, mounted: 0, present: 0, bytes: 0, sboms: [] };
}

/** How blobs go out, with progress and counts. */
export function pushOptions(
  parsed: Parsed,
  packing: PushPacking,
  bar: Progress | undefined,
  counts: Counts,
): PushOptions {
  const cache = host.env("XDG_CACHE_HOME") ??
    (host.env("HOME") && `${host.env("HOME")}/.cache`);
  const packed = cache === undefined
    ? undefined
    : uploadMemory(`${cache}/ciso/packed`);
  const isVerbose = parsed.on("verbose");
  const signal = gentleStop(
    "Stopping when the chunks on their way have arrived; the same command " +
      "goes on from there",
  );
  return {
    known: (layer) => knownLayer(layer, packing, packed),
    pack: (layer, signal) => packLayer(layer, packing, packed, signal),
    packPieces: (layer, signal) => packPieces(layer, packing, packed, signal),
    signal,
    ...(cache !== undefined && {
      memory: uploadMemory(`${cache}/ciso/uploads`),
    }),
    onBytes: (count) => {
      counts.bytes += count;
      bar?.add(count);
    },
    onBlob: ({ digest, size }, outcome) => {
      counts[outcome]++;
      if (isVerbose) say(`${digest}, ${size} bytes: ${outcome}`);
    },
  };
}

/** Prints the reference of what was pushed, for people or programs. */
export function printPushed(
  parsed: Parsed,
  reference: Reference,
  { digest, mediaType, size }: Pushed,
  counts: Counts,
): void {
  const { registry, repository, tag } = reference;
  const whole = formatReference({ registry, repository, digest });
  if (!parsed.on("json")) return printLines([whole]);
  const { bytes, sboms, ...blobs } = counts;
  printJson({
    version: 1,
    reference: whole,
    ...(tag !== undefined && { tag }),
    digest,
    mediaType,
    size,
    blobs,
    bytesSent: bytes,
    ...(sboms.length > 0 && { sboms }),
  });
}
