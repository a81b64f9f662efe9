import { InputError } from "../errors/input_error.ts";
import { shown, shownWord } from "../errors/shown.ts";
import {
  type ImageChoice,
  platformText,
  withName,
} from "../read/choose_image.ts";
import { filesOfTar, type ImageFiles } from "../read/image_files.ts";
import { hasConfigLayers, type StoredImage } from "../read/stored_image.ts";
import { readImage } from "../read/open_image.ts";
import type { RegistryClient } from "../registry/client.ts";
import { imageParts, pushParts } from "../registry/copy_image.ts";
import {
  asCandidate,
  type PlatformImage,
  platformImages,
  topImages,
} from "../registry/platform_images.ts";
import {
  type Pushed,
  pushImage,
  pushIndex,
  type PushOptions,
} from "../registry/push_image.ts";
import {
  formatReference,
  parseReference,
  type Reference,
} from "../registry/reference.ts";
import { keepCompressThreads } from "../system/compress_threads.ts";
import type { Input } from "../system/input.ts";
import { openInput } from "../system/open_input.ts";
import { spooled } from "../system/spool_file.ts";
import { fromStream } from "../streams/source.ts";
import { platformOf } from "./platform_words.ts";
import { named, ofFile } from "./failure.ts";
import { checkReference } from "./foreign_words.ts";
import { Stopped } from "./gentle_stop.ts";
import { InputStore } from "./input_store.ts";
import { type OpenedImage, openImage } from "./opened_image.ts";
import type { Parsed } from "./options.ts";
import { progressBar, unpackLimits } from "./output.ts";
import { type PushPacking, pushPacking } from "./pack_layer.ts";
import type { AttachedSbom, Attachment } from "./push_sbom.ts";
import type { Sign } from "./push_signature.ts";
import { newCounts, printPushed, pushOptions } from "./push_report.ts";
import { registryClient } from "./registry_client.ts";
import { say } from "./say.ts";
import { signatureCheck } from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

/** Where an image goes. */
interface Target {
  client: RegistryClient;
  reference: Reference;
}

/** How this command pushes. */
interface Work extends PushOptions {
  /** Is called for each image that is pushed. */
  onPushed?: (
    files: ImageFiles,
    image: StoredImage,
    pushed: Pushed,
  ) => Promise<void>;
}

/**
 * Runs `ciso push`: an image file becomes an image in a registry.
 *
 * @param parsed The command line.
 * @returns The exit code, if a signal stopped it.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If the image cannot be read, or the registry refuses.
 */
export async function runPush(parsed: Parsed): Promise<number | void> {
  const { word, reference } = targetOf(parsed);
  const mountFrom = mountable(parsed, reference);
  const packing = packingOf(parsed);
  const check = await signatureCheck(parsed);
  const sign = await signing(parsed, word);
  const sboms = await attaching(parsed);
  const client = await registryClient(parsed, reference);
  const open: Input[] = [];
  const store = new InputStore(unpackLimits(parsed));
  const bar = progressBar(parsed.on("quiet"), "pushing", undefined);
  const counts = newCounts();
  const done = keepCompressThreads();
  try {
    const opened = await openImage(word, {
      check,
      client: (reference) => registryClient(parsed, reference),
      openFile: async (path) => {
        const file = path === "-" ? undefined : path;
        const limits = unpackLimits(parsed);
        const input = await openInput(file, limits, check?.of(path));
        open.push(input);
        return input;
      },
    });
    const { repository } = reference;
    const options = {
      ...pushOptions(parsed, packing, bar, counts),
      mountFrom,
      onPushed: async (files: ImageFiles, image: StoredImage, one: Pushed) => {
        const what = { client, repository, files, image, pushed: one, options };
        counts.sboms.push(...await sboms?.(what) ?? []);
      },
    };
    const given = choiceOf(parsed, opened.name);
    const { files, choice } = await pushable(parsed, opened, given, store);
    const target = { client, reference };
    const all = parsed.on("all-platforms")
      ? await pushAll(target, files, choice, options)
      : [await pushOne(target, files, choice, options)];
    bar?.end();
    for (const image of all) await sign?.(client, reference, image);
    printPushed(parsed, reference, all.at(-1)!, counts);
  } catch (error) {
    if (error instanceof Stopped) return error.exitCode;
    throw ofFile(`${word} to ${formatReference(reference)}`, error);
  } finally {
    bar?.end();
    done();
    for (const input of open) input.close();
    store.close();
  }
}

/** The image that a command line names, and where it goes. */
function targetOf(parsed: Parsed): { word: string; reference: Reference } {
  const [word, target, ...more] = parsed.words;
  if (word === undefined || target === undefined || more.length > 0) {
    throw new UsageError(
      "ciso push takes an image and where it goes, such as " +
        "ciso push app.isoc localhost:5000/me/app:1.0",
    );
  }
  if (parsed.on("all-platforms") && parsed.value("platform") !== undefined) {
    throw new UsageError("--all-platforms and --platform exclude each other");
  }
  checkReference(
    target,
    (to) =>
      /^(docker-daemon|containers-storage):/.test(to)
        ? `ciso load ${shownWord(word)}`
        : `ciso copy ${shownWord(word)} ${shownWord(to)}`,
  );
  const reference = named(undefined, () => parseReference(target));
  if (reference.digest !== undefined) {
    throw new UsageError("The digest comes of what is pushed: give a tag");
  }
  return { word, reference };
}

/** The repositories of --mount-from; each may be a whole reference. */
function mountable(parsed: Parsed, { registry }: Reference): string[] {
  return parsed.values("mount-from").map((value) => {
    const word = value.replace(/^docker:\/\//, "");
    const isWhole = word.startsWith(`${registry}/`) || word.includes("@");
    return named(
      "--mount-from",
      () => parseReference(isWhole ? word : `${registry}/${word}`).repository,
    );
  });
}

// What few pushes need is loaded where it is asked for.

/** What signs, if the command line says so. */
async function signing(
  parsed: Parsed,
  word: string,
): Promise<Sign | undefined> {
  if (parsed.value("sign-key") === undefined && !parsed.on("with-signature")) {
    return undefined;
  }
  const { signing } = await import("./push_signature.ts");
  return await signing(parsed, word);
}

/** What pushes lists of packages, if the command line says so. */
async function attaching(
  parsed: Parsed,
): Promise<((to: Attachment) => Promise<AttachedSbom[]>) | undefined> {
  const isAsked = parsed.values("sbom").length > 0 || parsed.on("sbom-files");
  if (!isAsked) return undefined;
  const { attachSboms, sbomsToPush } = await import("./push_sbom.ts");
  const wanted = sbomsToPush(parsed);
  return (to) => attachSboms(parsed, wanted, to);
}

/** An image whose config and layers a registry takes: as it is, or made anew. */
async function pushable(
  parsed: Parsed,
  image: OpenedImage,
  choice: ImageChoice,
  store: InputStore,
): Promise<{ files: ImageFiles; choice: ImageChoice }> {
  const { files } = image;
  if (
    parsed.on("all-platforms") || (await platformImages(files)).length > 0
  ) return { files, choice };
  const { base, layers } = await readImage(files, choice);
  if (base.config !== undefined && hasConfigLayers(layers)) {
    return { files, choice };
  }
  const { wantedImage } = await import("./convert.ts");
  const { imageAnew } = await import("./image_anew.ts");
  const { path, isRemote } = image;
  const wanted = {
    ...wantedImage(path, parsed),
    choice,
    image: { path, files, isRemote },
  };
  const isoc = await imageAnew(parsed, wanted, store, ["docker", "oci"]);
  if (!parsed.on("quiet")) { for (const note of isoc.notes) say(note); }
  const spool = store.add(
    await spooled("the image", fromStream(isoc.stream())),
  );
  return { files: await filesOfTar(spool), choice: {} };
}

/** How layers go out; a signature that is there fits them as they are. */
function packingOf(parsed: Parsed): PushPacking {
  return pushPacking(parsed, parsed.on("with-signature") ? "none" : "gzip");
}

function choiceOf(parsed: Parsed, name: string | undefined): ImageChoice {
  const option = parsed.value("name");
  if (name !== undefined && option !== undefined) {
    throw new UsageError(
      `The image is named already: leave out --name ${shown(option)}`,
    );
  }
  const wanted = name ?? option;
  return {
    platform: platformOf(parsed),
    ...(wanted !== undefined && { name: wanted }),
  };
}

/** Pushes the one image that a choice takes. */
export async function pushOne(
  { client, reference }: Target,
  files: ImageFiles,
  choice: ImageChoice,
  options: Work,
): Promise<Pushed> {
  const all = await platformImages(files);
  refuseSeveral(all, choice);
  const image = await readImage(files, choice);
  const digests = image.layers.map(({ digest }) => digest).join();
  // The image's own manifest, if no other one has the same layers.
  const same = all.filter(({ blobs }) => blobs.slice(1).join() === digests);
  const original = same.length === 1 ? same[0]!.manifest : undefined;
  const pushed = await pushImage(client, reference, image, {
    ...options,
    original,
  });
  await options.onPushed?.(files, image, pushed);
  return pushed;
}

/** Says how to push an image that is for several platforms. */
function refuseSeveral(all: PlatformImage[], { platform }: ImageChoice): void {
  const isOne = new Set(all.map(({ names }) => names.join(" "))).size === 1 &&
    new Set(all.map(({ platform }) => platformText(platform))).size ===
      all.length;
  if (all.length < 2 || !isOne || platform?.architecture) return;
  throw new InputError(
    `It is for several platforms (${
      all.map(({ platform }) => platformText(platform)).join(", ")
    }): --all-platforms pushes all of them, --platform one`,
  );
}

/** Pushes all platforms; the last one of what it gives is their index. */
async function pushAll(
  { client, reference }: Target,
  files: ImageFiles,
  { name }: ImageChoice,
  options: Work,
): Promise<Pushed[]> {
  const all = (await topImages(files)).map(asCandidate);
  const tops = name === undefined ? all : withName(all, name);
  if (tops.length !== 1) {
    throw new InputError(
      tops.length === 0
        ? "It lists no platforms: push it without --all-platforms"
        : `It holds ${tops.length} images: choose one with --name`,
    );
  }
  const { registry, repository } = reference;
  const pushed = [];
  const { images, isWhole } = tops[0]!;
  for (const { platform, manifest, files } of images) {
    const image = await readImage(files);
    const one = await pushImage(client, { registry, repository }, image, {
      ...options,
      original: manifest,
    });
    await options.onPushed?.(files, image, one);
    pushed.push({ ...one, platform });
  }
  const isKept = isWhole &&
    pushed.every(({ digest }, i) => digest === images[i]!.manifest.digest);
  if (!isKept) {
    return [...pushed, await pushIndex(client, reference, pushed)];
  }
  // With its attestations, which belong to just these images.
  const parts = await imageParts(files, {
    allPlatforms: true,
    ...(name !== undefined && { name }),
  });
  const { onBlob: _, ...uncounted } = options;
  return [
    ...pushed,
    await pushParts(client, reference, parts!, uncounted),
  ];
}
