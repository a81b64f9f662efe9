import { DescriptionError } from "../errors/description_error.ts";
import { ofFile } from "./failure.ts";
import { checkHasLayers, layerInput } from "../build/stored_layer.ts";
import type { LayerInput } from "../rootfs/layer_stack.ts";
import { parseName } from "../image/name.ts";
import type { ImageChoice } from "../read/choose_image.ts";
import { readImage } from "../read/open_image.ts";
import type { StoredLayer } from "../read/stored_image.ts";
import { host } from "../system/host.ts";
import { fromStream } from "../streams/source.ts";
import { inParallel } from "../streams/in_parallel.ts";
import { keepFile } from "../system/kept_file.ts";
import { paysThread } from "../system/threads.ts";
import { spooled } from "../system/spool_file.ts";
import type { InputStore } from "./input_store.ts";
import { type OpenedImage, openImage } from "./opened_image.ts";
import type { RegistryClient } from "../registry/client.ts";
import type { Reference } from "../registry/reference.ts";
import { openDirectory } from "../directory/open_directory.ts";
import type { WalkOptions } from "../directory/walk.ts";
import type { EditPlan } from "./edit_plan.ts";
import type { Base } from "./description.ts";
import type { Origins } from "./report.ts";
import type { SignatureCheck } from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

/** What an image is built of. */
export interface BuildInputs extends Base {
  /** A rootfs alone, or the layers of an image. */
  layers: LayerInput[];
  /** Whether it is a rootfs alone. */
  plain: boolean;
  origins: Origins;
  /** Size in bytes of all that is opened for it, where that is known. */
  size?: number;
  /** What the user should know of the inputs, in sentences. */
  notes: string[];
}

/** Where the pieces of an image are. */
export interface Wanted {
  /** An image file to start from. */
  from?: string | undefined;
  /** Layers on top, lowest first. */
  layers: string[];
  /** A rootfs, or one more layer; `-` is standard input. */
  rootfs?: string | undefined;
  /** Which image to take of a file that has several. */
  choice: ImageChoice;
  /** Makes a client for a registry. */
  client: (reference: Reference) => Promise<RegistryClient>;
  /** Checks the signature of the image file. */
  check?: SignatureCheck | undefined;
  /** How directories are read. */
  directory: WalkOptions;
  /** What is changed in what is opened. */
  plan?: EditPlan | undefined;
  /** Whether the image must be one whose files are in the rootfs. */
  isSplit?: boolean | undefined;
  /** Whether the image may have no layers, since others are put on it. */
  isBase?: boolean | undefined;
  /** The image to start from, where it is open already. */
  image?: OpenedImage | undefined;
}

/**
 * Opens all that an image is built of.
 *
 * @param store Opens files; its maker closes it.
 * @throws {Error} If a file cannot be opened or an image cannot be read; the
 * message names it.
 */
export async function openInputs(
  wanted: Wanted,
  store: InputStore,
): Promise<BuildInputs> {
  const inputs: BuildInputs = {
    layers: [],
    plain: wanted.from === undefined && wanted.layers.length === 0,
    origins: [],
    notes: [],
    base: { fields: {} },
    names: [],
  };
  if (wanted.from !== undefined) {
    await addImage(inputs, wanted.from, wanted, store);
  }
  const rest = [...wanted.layers];
  if (wanted.rootfs !== undefined) rest.push(wanted.rootfs);
  inputs.complete = wanted.from !== undefined && rest.length === 0;
  for (const path of rest) {
    const name = path === "-" ? "standard input" : path;
    if (path !== "-" && host.isDirectory(path)) {
      const source = store.add(await openDirectory(path, wanted.directory));
      inputs.layers.push({ source, name });
      inputs.origins.push({ name, directory: true });
      inputs.notes.push(...source.notes);
      continue;
    }
    const source = await store.file(path);
    inputs.layers.push({ source, name });
    inputs.origins.push({ name, compression: source.compression });
  }
  const { size } = store;
  if (size !== undefined) inputs.size = size;
  return inputs;
}

/**
 * Fetches the layers of an image in a registry, several side by side: they are
 * read more than once. Each is checked against its digest while it comes.
 */
async function fetchLayers(
  layers: StoredLayer[],
  path: string,
  store: InputStore,
): Promise<void> {
  await inParallel([...layers.entries()], 4, async ([i, layer]) => {
    const name = `${path}, layer ${i + 1}`;
    const { size, lent } = layer.source;
    if (lent && paysThread(size)) {
      layer.source = store.add(await keepFile({ path: name, size, lent }));
      return;
    }
    const chunks = fromStream(layer.source.stream());
    const spool = store.add(await spooled(name, chunks));
    layer.source = {
      size: spool.size!,
      isSteady: true,
      stream: () => spool.stream(),
      slice: (start, end) => spool.slice(start, end),
    };
  });
}

async function addImage(
  inputs: BuildInputs,
  word: string,
  wanted: Wanted,
  store: InputStore,
): Promise<void> {
  const { choice, client, check, image: given } = wanted;
  const { layers, rootfs, plan, isSplit, isBase } = wanted;
  const rest = layers.length + (rootfs === undefined ? 0 : 1) +
    (plan?.added.length ?? 0);
  let path = word;
  let shownName = word === "-" ? "standard input" : word;
  try {
    const openFile = (path: string) => store.file(path, check?.of(path));
    const opened = given ?? await openImage(word, { openFile, client, check });
    const { files, name, isRemote } = opened;
    path = opened.path;
    if (path !== "-") shownName = path;
    if (name !== undefined && choice.name !== undefined) {
      throw new UsageError(
        `${word} names an image already: leave out --name ${choice.name}`,
      );
    }
    const image = await readImage(files, {
      ...choice,
      ...(name !== undefined && { name }),
    });
    if (rest === 0 && !isBase) checkHasLayers(image);
    if (isSplit && image.lacks === undefined) {
      throw new UsageError(
        "ciso convert takes a second file only with the metadata of an image " +
          "of LXD or Incus: ciso build --from IMAGE puts a rootfs on any image",
      );
    }
    if (isRemote) await fetchLayers(image.layers, path, store);
    for (const [i, stored] of image.layers.entries()) {
      const name = `${path}, layer ${i + 1}`;
      await addLayer(inputs, stored, { name, isChecked: isRemote }, store);
    }
    const { base, annotations, notes } = image;
    inputs.base = base;
    inputs.annotations = annotations;
    inputs.notes.push(...notes);
    for (const name of image.names) addName(inputs, name, path);
  } catch (error) {
    throw ofFile(shownName, error);
  }
}

/** Adds a layer of an image, its compression taken off. */
async function addLayer(
  inputs: BuildInputs,
  stored: StoredLayer,
  { name, isChecked }: { name: string; isChecked: boolean },
  store: InputStore,
): Promise<void> {
  const { source, compression } = await store.layer({
    source: stored.source,
    name,
    digest: stored.digest,
    isChecked,
  });
  const isPacked = compression !== undefined;
  const { length } = inputs.layers;
  const own = { source, name: `Layer ${length + 1}`, isPacked };
  inputs.layers.push({ ...layerInput(stored, own), name });
  inputs.origins.push({ name, compression });
}

/** Adds a name of an image, if it is one that ciso can write. */
function addName(inputs: BuildInputs, name: string, path: string): void {
  try {
    parseName(name);
    inputs.names.push(name);
  } catch (error) {
    if (!(error instanceof DescriptionError)) throw error;
    inputs.oddName = name;
    inputs.notes.push(`A name of ${path} is left out. ${error.message}`);
  }
}
