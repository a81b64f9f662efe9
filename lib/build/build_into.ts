import type { ImageDescription } from "../rootfs/facts.ts";
import {
  type LayerInput,
  readLayers,
  type Spool,
} from "../rootfs/layer_stack.ts";
import { scanRootfs } from "../rootfs/scan.ts";
import type { Sink } from "../streams/sink.ts";
import type { SeekableTar } from "../tar/seeking.ts";
import { assemble } from "./assemble.ts";
import { outlook } from "./outlook.ts";
import {
  checkDescription,
  checkLayers,
  isocOf,
  scanOptions,
  stackOf,
} from "./build.ts";
import type { ArchiveOptions, Isoc } from "./isoc.ts";

/** A place where nothing of an archive belongs. */
const NOWHERE = -1;

/**
 * Makes an isoc archive as {@linkcode build} does, and writes it while the
 * rootfs is read: both copies of a chunk at once, each to its place, and the
 * documents last. What is in a wrong place in the end is written again.
 *
 * @param sink Gets the archive. When something fails, it holds anything.
 * @param source The rootfs; read once, if all goes as it nearly always does.
 * @param onWritten Gets how many more bytes were written after the rootfs was
 * read.
 * @returns The archive; its stream is for the sink's lifetime.
 * @throws As {@linkcode build} does.
 */
export async function buildInto(
  sink: Sink,
  source: SeekableTar,
  description: ImageDescription,
  options: ArchiveOptions & { onWritten?: (bytes: number) => void },
): Promise<Isoc> {
  checkDescription(description);
  const look = (size?: number) => outlook(description, options, [{ size }]);
  const first = look(source.size);
  const hasRootfs = first.rootfs !== undefined;
  const size = source.size ??
    (hasRootfs ? await source.likelySize?.() : undefined);
  const { layers: [layer], rootfs } = size === source.size ? first : look(size);
  let late: number | undefined;
  const scanned = await scanRootfs(
    source,
    scanOptions(options),
    layer === undefined ? undefined : {
      sink,
      layer,
      // After a layer of unknown size nothing can be written.
      ...(hasRootfs &&
        (size === undefined
          ? { lateRootfs: (size: number) => late = look(size).rootfs }
          : { rootfs })),
    },
  );
  const stack = stackOf(scanned);
  if (layer !== undefined) {
    // A layer that is changed is made of the one that is there now.
    const isChanged = scanned.changes.size > 0;
    stack.layers[0]!.written = isChanged ? NOWHERE : layer;
    if (scanned.isEarly) stack.writtenRootfs = late ?? rootfs;
  }
  const assembled = await assemble(stack, description, options);
  await assembled.archive.writeTo(sink, options.onWritten);
  return isocOf(stack, assembled);
}

/**
 * As {@linkcode buildInto}, of several layers, lowest first. What they make
 * together is written while they are read if no layer replaces anything of
 * lower ones, else after that.
 */
export async function buildLayersInto(
  sink: Sink,
  inputs: LayerInput[],
  description: ImageDescription,
  { spool, onWritten, ...options }: ArchiveOptions & {
    spool: Spool;
    onWritten?: (bytes: number) => void;
  },
): Promise<Isoc> {
  checkLayers(inputs, description);
  const stack = await readLayers(
    inputs,
    scanOptions(options),
    spool,
    { sink, of: (layers) => outlook(description, options, layers) },
  );
  const assembled = await assemble(stack, description, options);
  await assembled.archive.writeTo(sink, onWritten);
  return isocOf(stack, assembled);
}
