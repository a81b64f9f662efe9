import { shownWord } from "../errors/shown.ts";
import { withName } from "../read/choose_image.ts";
import { type ImageFiles, readDocument } from "../read/image_files.ts";
import { readDockerManifest } from "../read/read_docker.ts";
import { asCandidate, readLayout } from "../registry/platform_images.ts";
import { archiveOptions } from "./archive_options.ts";
import type { Wanted } from "./build_inputs.ts";
import { checkInputs } from "./build_one.ts";
import { buildSeveral, type PlatformImage } from "./build_platforms.ts";
import {
  ofImage,
  openWanted,
  platformImage,
  wantedImage,
  wantedPlatforms,
} from "./convert.ts";
import { directoryOptions } from "./directory_options.ts";
import { editPlan } from "./edit_plan.ts";
import { filePlatforms } from "./file_platforms.ts";
import { InputStore } from "./input_store.ts";
import type { Parsed } from "./options.ts";
import { outputPath, unpackLimits } from "./output.ts";
import { withPlatform } from "./platform_words.ts";
import { signatureCheck } from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs `ciso join`: images of several platforms become one isoc.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong, or the images do not go
 * together.
 * @throws {Error} If an image cannot be read; the message is for the user.
 */
export async function runJoin(parsed: Parsed): Promise<void> {
  const { words } = parsed;
  const [from, ...others] = words;
  if (others.length === 0) {
    throw new UsageError(
      "ciso join takes at least two images, such as " +
        "ciso join amd64.isoc arm64.isoc -o app.isoc",
    );
  }
  const twice = words.find((word, i) => words.indexOf(word) < i);
  if (twice !== undefined) {
    throw new UsageError(
      `${shownWord(twice)} comes twice: each platform has one image`,
    );
  }
  const own = withPlatform(namedAlike(parsed), undefined);
  const { platforms } = wantedPlatforms(parsed);
  archiveOptions(parsed, true);
  const plan = editPlan(parsed);
  const files = plan.added.map(({ file }) => file);
  checkInputs(parsed, { from, layers: others, files });
  const output = outputPath(parsed);
  const directory = directoryOptions(plan, output);
  const check = await signatureCheck(parsed);
  if (parsed.value("signature") !== undefined) {
    throw new UsageError(
      "--signature is for one image: put the signature of each beside it",
    );
  }
  const store = new InputStore(unpackLimits(parsed));
  try {
    const images: PlatformImage[] = [];
    const notes: string[] = [];
    for (const word of words) {
      const found = await imagesOf(
        { ...wantedImage(word, own), check, plan, directory },
        own,
        store,
      );
      images.push(...found.images);
      notes.push(...found.notes);
    }
    await buildSeveral({
      parsed,
      images,
      notes,
      only: platforms,
      output,
      store,
    });
  } finally {
    store.close();
  }
}

/** The same command line, which names the image as --name does. */
function namedAlike(parsed: Parsed): Parsed {
  const name = parsed.value("name");
  if (name === undefined || parsed.values("tag").length > 0) return parsed;
  return {
    ...parsed,
    values: (option) => option === "tag" ? [name] : parsed.values(option),
  };
}

/** The images of a file: one, or those of all platforms. */
async function imagesOf(
  wanted: Wanted,
  parsed: Parsed,
  store: InputStore,
): Promise<{ images: PlatformImage[]; notes: string[] }> {
  const word = wanted.from!;
  const opened = await openWanted(wanted, store);
  const { choice } = wanted;
  const isNamed = choice.name !== undefined && opened.name === undefined &&
    await ofImage(word, () => hasName(opened.files, choice.name!));
  // An only image may have another name.
  if (!isNamed) delete choice.name;
  const name = opened.name ?? choice.name;
  const found = await ofImage(word, () => filePlatforms(opened.files, name));
  if (!found) {
    const one = { parsed, wanted: { ...wanted, image: opened } };
    return { images: [one], notes: [] };
  }
  return {
    images: found.images.map((one) =>
      platformImage(parsed, wanted, opened, one)
    ),
    notes: found.notes,
  };
}

/** Whether an image of a file has a name. */
async function hasName(files: ImageFiles, name: string): Promise<boolean> {
  const { tops } = await readLayout(files);
  const docker = await readDocument(files, "manifest.json");
  const all = [
    ...tops.map(asCandidate),
    ...docker === undefined ? [] : readDockerManifest(docker),
  ];
  return withName(all, name).length > 0;
}
