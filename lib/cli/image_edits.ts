import { type Based, checkBasis, rebased } from "../alter/rebased.ts";
import { squashedBase } from "../alter/squashed_config.ts";
import { parseUnset, unsetFields } from "../alter/unset_fields.ts";
import { counted } from "../errors/counted.ts";
import { shown } from "../errors/shown.ts";
import { readImage } from "../read/open_image.ts";
import { squashLayers } from "../rootfs/squash.ts";
import { openSpool, spoolLayer } from "../system/spool_file.ts";
import { archiveOptions } from "./archive_options.ts";
import { type BuildInputs, openInputs, type Wanted } from "./build_inputs.ts";
import { named, ofFile } from "./failure.ts";
import { madeTar } from "./made_tar.ts";
import type { InputStore } from "./input_store.ts";
import { openImage } from "./opened_image.ts";
import type { Parsed } from "./options.ts";
import { progressBar } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Layers that Docker takes at most: 125, since its storage takes 127 and each
 * container needs two.
 *
 * @see {@link https://github.com/moby/moby/blob/v28.0.0/layer/layer_store.go}
 */
export const DOCKER_LAYERS = 125;

/** Where an image is edited. */
interface Place {
  /** Opens files, and holds what is made. */
  store: InputStore;
  /** Whether nothing else is built of the same files. */
  isOnly: boolean;
}

/**
 * Changes what is opened as the command line says: its base and config first,
 * then its files, then how many layers it has.
 *
 * @param inputs The image and what comes on top; changed.
 * @param wanted How they were opened.
 * @throws {UsageError} If an option does not fit.
 * @throws {InputError} If an image cannot be read, or was not made on OLD.
 */
export async function editImage(
  parsed: Parsed,
  inputs: BuildInputs,
  wanted: Wanted,
  { store, isOnly }: Place,
): Promise<void> {
  const unset = parsed.values("unset");
  if (unset.length > 0) {
    if (wanted.from === undefined) {
      throw new UsageError(
        "--unset takes something of an image away: it goes with --from IMAGE " +
          "or ciso convert",
      );
    }
  }
  const what = named("--unset", () => unset.map(parseUnset));
  await rebase(parsed.values("rebase"), inputs, wanted, store);
  const { base, notes } = unsetFields(inputs.base, what);
  inputs.base = base;
  inputs.notes.push(...notes);
  const bar = parsed.on("sort")
    ? progressBar(parsed.on("quiet"), "sorting", inputs.size)
    : undefined;
  try {
    const onRead = (bytes: number) => bar?.add(bytes);
    const { plan, directory } = wanted;
    if (plan && plan.tallies.length > 0) {
      // Loaded only if there is something to edit.
      const { applyEdits } = await import("./apply_edits.ts");
      const what = { plan, directory };
      await applyEdits(inputs, what, store, { isOnly, onRead });
    }
  } finally {
    bar?.end();
  }
  if (parsed.on("dedupe")) dedupe(inputs);
  await squash(parsed, inputs, store);
}

/** Has layers that are added leave out what lower ones have. */
function dedupe(inputs: BuildInputs): void {
  const added = inputs.layers.slice(1).filter(({ fromImage, aci }) =>
    !fromImage && !aci
  );
  for (const layer of added) layer.dedupe = true;
  if (added.length === 0) {
    inputs.notes.push("--dedupe does nothing: no layer is on top of another");
  }
}

/** Puts an image's own layers on another base. */
async function rebase(
  words: string[],
  inputs: BuildInputs,
  wanted: Wanted,
  store: InputStore,
): Promise<void> {
  if (words.length === 0) return;
  const [oldWord, newWord, ...more] = words;
  if (newWord === undefined || more.length > 0) {
    throw new UsageError("--rebase takes two images, OLD and NEW, and once");
  }
  const name = wanted.from!;
  const { architecture, os, variant } = inputs.base.fields;
  // What is for another platform is refused in words that fit.
  const choice = {
    platform: { os, architecture, variant },
    anyPlatform: true,
  };
  const old = await readBasis(oldWord!, { ...wanted, choice }, store);
  const image = {
    name,
    diffIds: inputs.layers.map(({ diffId }) => diffId),
    base: inputs.base,
  };
  const count = old.diffIds.length;
  try {
    checkBasis(image, old);
  } catch (error) {
    throw ofFile(name, error);
  }
  const next = await openInputs({
    from: newWord,
    layers: [],
    choice,
    client: wanted.client,
    check: wanted.check,
    directory: {},
    isBase: inputs.layers.length > count,
  }, store);
  inputs.base = rebased(image, old, {
    name: newWord,
    diffIds: next.layers.map(({ diffId }) => diffId),
    base: next.base,
  });
  inputs.layers = [...next.layers, ...inputs.layers.slice(count)];
  inputs.origins = [...next.origins, ...inputs.origins.slice(count)];
  inputs.annotations = { ...next.annotations, ...inputs.annotations };
  inputs.notes.push(...next.notes);
  delete inputs.size;
}

/** Reads what an image says; its layers stay where they are. */
async function readBasis(
  word: string,
  { client, choice, check }: Wanted,
  store: InputStore,
): Promise<Based> {
  try {
    const openFile = (path: string) => store.file(path, check?.of(path));
    const { files, name } = await openImage(word, { openFile, client, check });
    const { base, layers } = await readImage(files, {
      ...choice,
      ...(name !== undefined && { name }),
    });
    const diffIds = layers.map(({ diffId }) => diffId);
    return { name: word, base, diffIds };
  } catch (error) {
    throw ofFile(word === "-" ? "standard input" : word, error);
  }
}

/** Makes one layer of several, if that is asked for or Docker needs it. */
async function squash(
  parsed: Parsed,
  inputs: BuildInputs,
  store: InputStore,
): Promise<void> {
  const { faces, maxUnpacked } = archiveOptions(
    parsed,
    inputs.layers.length > 1,
  );
  const from = parsed.value("squash");
  const { length } = inputs.layers;
  let kept = keptLayers(from, length);
  const isDockers = faces === undefined ||
    faces.some((face) => face === "docker" || face === "docker-v1");
  const left = kept === undefined ? length : kept + 1;
  if (left > DOCKER_LAYERS && isDockers) {
    kept = DOCKER_LAYERS - 1;
    inputs.notes.push(
      `The image has ${left} layers, of which Docker takes at most ` +
        `${DOCKER_LAYERS}: those from ${DOCKER_LAYERS} on became one; --faces ` +
        "oci,bundle,lxd keeps them all",
    );
  }
  if (kept === undefined) return;
  if (length - kept < 2) {
    inputs.notes.push(
      `Nothing is squashed: there is one layer${
        kept > 0 ? ` from ${kept + 1} on` : ""
      }`,
    );
    return;
  }
  const first = inputs.layers[kept]!.source;
  const { layers, notes } = await squashLayers(
    inputs.layers,
    kept,
    { maxUnpacked },
    {
      spool: async (chunks) => store.add(await spoolLayer(chunks)),
      later: (name, layer) =>
        madeTar(store.add(openSpool(-1, name, layer.chunks())), {
          likelySize: () => layer.likelySize(),
          making: () => layer.making(),
          before: first,
        }),
    },
  );
  const own = inputs.layers.filter(({ fromImage }) => fromImage).length;
  inputs.base = squashedBase(inputs.base, Math.min(kept, own));
  inputs.layers = layers;
  inputs.origins = [
    ...inputs.origins.slice(0, kept),
    { name: layers.at(-1)!.name, squashed: length - kept },
  ];
  inputs.history = `ciso --squash: layers ${kept + 1} to ${length}`;
  inputs.notes.push(...notes);
  inputs.plain = false;
  delete inputs.size;
}

/** How many layers --squash leaves; `undefined` if it is not given. */
function keptLayers(
  from: string | undefined,
  length: number,
): number | undefined {
  if (from === undefined) return undefined;
  if (from === "") return 0;
  const number = /^\d{1,6}$/.test(from) ? Number(from) : 0;
  if (number >= 1 && number <= length) return number - 1;
  throw new UsageError(
    `--squash ${shown(from)}: there is no such layer; the image has ${
      counted(length, "layer")
    }, and 1 is the lowest`,
  );
}
