import { counted } from "../errors/counted.ts";
import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { DOCKER_LAYERS } from "./image_edits.ts";
import { splitRootfs } from "../rootfs/split_rootfs.ts";
import { spoolLayer } from "../system/spool_file.ts";
import type { BuildInputs } from "./build_inputs.ts";
import { named, ofFile } from "./failure.ts";
import type { InputStore } from "./input_store.ts";
import type { Parsed } from "./options.ts";
import { progressBar } from "./output.ts";
import { parseSize } from "./size.ts";
import { UsageError } from "./usage_error.ts";

/** Smaller layers make more of them than engines take. */
const SMALLEST = 1 << 20;

/**
 * What --layer-size says, in bytes.
 *
 * @throws {UsageError} If it is wrong, or goes with other options that it cannot
 * go with.
 */
export function layerSize(parsed: Parsed): number | undefined {
  const text = parsed.value("layer-size");
  if (text === undefined) return undefined;
  const size = named("--layer-size", () => parseSize(text));
  if (size < SMALLEST) {
    throw new UsageError(`--layer-size takes 1M and more, not ${shown(text)}`);
  }
  const isRootfs = parsed.value("from") === undefined &&
    parsed.values("layer").length === 0;
  if (!isRootfs) {
    throw new UsageError(
      "--layer-size splits a rootfs alone: the layers of images stay as they are",
    );
  }
  for (const name of ["allow-whiteouts", "layout"]) {
    if (parsed.value(name) === undefined && !parsed.on(name)) continue;
    throw new UsageError(
      `--layer-size and --${name} exclude each other: one is for layers, the ` +
        "other for a rootfs alone",
    );
  }
  return size;
}

/**
 * Splits a rootfs into layers, if --layer-size asks for it.
 *
 * @param inputs What the image is built of; changed.
 * @throws {InputError} If that makes more layers than engines take.
 */
export async function splitInputs(
  parsed: Parsed,
  inputs: BuildInputs,
  store: InputStore,
): Promise<void> {
  const size = layerSize(parsed);
  const [rootfs] = inputs.layers;
  if (size === undefined || !inputs.plain || !rootfs) return;
  const { name, source } = rootfs;
  const bar = progressBar(parsed.on("quiet"), "splitting", inputs.size);
  try {
    const spool = async (chunks: AsyncGenerator<Uint8Array>) =>
      store.add(await spoolLayer(chunks));
    const { layers, notes } = await splitRootfs(source, size, spool, {
      maxUnpacked: store.maxUnpacked,
      onRead: (bytes) => bar?.add(bytes),
    });
    if (layers.length === 0) return;
    if (layers.length > DOCKER_LAYERS) {
      throw new InputError(
        `--layer-size ${parsed.value("layer-size")} makes ${
          counted(layers.length, "layer")
        } of it, and engines take ${DOCKER_LAYERS}: take a larger size`,
      );
    }
    inputs.layers = layers.map((source, i) => ({
      source,
      name: `${name}, layer ${i + 1}`,
    }));
    const [origin] = inputs.origins;
    inputs.origins = layers.map(() => ({
      name,
      split: layers.length,
      ...(origin?.directory && { directory: true }),
      ...(origin?.edited && { edited: true }),
    }));
    inputs.notes.push(...notes);
    inputs.plain = false;
    inputs.size = layers.reduce((sum, { size = 0 }) => sum + size, 0);
  } catch (error) {
    throw ofFile(name, error);
  } finally {
    bar?.end();
  }
}
