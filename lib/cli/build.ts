import { shownList } from "../errors/shown.ts";
import { platformText } from "../read/choose_image.ts";
import { archiveOptions } from "./archive_options.ts";
import { buildOne, checkInputs } from "./build_one.ts";
import type { Wanted } from "./build_inputs.ts";
import { buildSeveral } from "./build_platforms.ts";
import { imageDescription } from "./description.ts";
import { editPlan } from "./edit_plan.ts";
import { directoryOptions } from "./directory_options.ts";
import { imageChoice } from "./image_choice.ts";
import { InputStore } from "./input_store.ts";
import type { Parsed } from "./options.ts";
import { layerSize } from "./layer_size.ts";
import { outputPath, unpackLimits } from "./output.ts";
import {
  type PlatformWord,
  platformWords,
  withPlatform,
} from "./platform_words.ts";
import { registryClient } from "./registry_client.ts";
import { signatureCheck } from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs `ciso build`.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {Error} If the build fails; the message is for the user.
 */
export async function runBuild(parsed: Parsed): Promise<void> {
  const from = parsed.value("from");
  const layers = parsed.values("layer");
  const word = rootfsWord(parsed);
  const platforms = platformWords(parsed);
  const files = platforms.flatMap(({ file }) => file ?? []);
  checkFiles(platforms, word, from);
  // The original reads standard input; with other inputs it must be asked for.
  const rootfs = word ??
    (from === undefined && layers.length === 0 && files.length === 0
      ? "-"
      : undefined);
  if (from === undefined) refuseIdle(parsed);
  const plan = editPlan(parsed);
  const images = imagesOf(parsed, platforms, { from, layers, rootfs, plan });
  // Wrong words on the command line are refused before anything is read.
  if (from === undefined) {
    for (const { parsed } of images) imageDescription(parsed);
  }
  archiveOptions(
    parsed,
    layers.length > 1 || from !== undefined || images.length > 1,
  );
  layerSize(parsed);
  checkInputs(parsed, {
    from,
    layers,
    rootfs,
    files: [...files, ...plan.added.map(({ file }) => file)],
  });
  const output = outputPath(parsed);
  const directory = directoryOptions(plan, output);
  const check = await signatureCheck(parsed);
  if (check && from === undefined) {
    throw new UsageError(
      "--verify-key and --verify-keyring are about the image of --from",
    );
  }
  for (const { wanted } of images) {
    wanted.directory = directory;
    wanted.check = check;
  }
  const store = new InputStore(unpackLimits(parsed));
  try {
    const [first] = images;
    await (images.length > 1
      ? buildSeveral({ parsed, images, output, store })
      : buildOne(first!.parsed, first!.wanted, output, store));
  } finally {
    store.close();
  }
}

/** The rootfs that a command line names, if it names one. */
function rootfsWord({ words }: Parsed): string | undefined {
  if (words.length > 1) {
    throw new UsageError(
      `One rootfs is taken, but here are ${words.length}: ` +
        `${shownList(words)} (the command goes after --)`,
    );
  }
  return words[0];
}

/** What is built for each platform, or the one image if none is named. */
function imagesOf(
  parsed: Parsed,
  platforms: PlatformWord[],
  inputs: Pick<Wanted, "from" | "layers" | "rootfs" | "plan">,
): { parsed: Parsed; wanted: Wanted }[] {
  return (platforms.length > 0 ? platforms : [undefined]).map((word) => ({
    parsed: withPlatform(parsed, word && platformText(word.platform)),
    wanted: {
      ...inputs,
      rootfs: word?.file ?? inputs.rootfs,
      choice: imageChoice(inputs.from, parsed, word?.platform),
      client: (reference) => registryClient(parsed, reference),
      directory: {},
    },
  }));
}

/** Refuses platforms of which only some have a rootfs. */
function checkFiles(
  platforms: PlatformWord[],
  rootfs: string | undefined,
  from: string | undefined,
): void {
  const files = platforms.filter(({ file }) => file !== undefined);
  if (files.length > 0 && rootfs !== undefined) {
    throw new UsageError(
      `Give each platform its own rootfs, or all of them ${
        shownList([rootfs])
      }`,
    );
  }
  const without = platforms.find(({ file }) => file === undefined);
  if (files.length > 0 && without && from === undefined) {
    const text = platformText(without.platform);
    throw new UsageError(
      `--platform ${text} has no rootfs: give it one with ${text}=FILE`,
    );
  }
}

/** Options that say something of the image of --from alone. */
const OF_AN_IMAGE = [
  ...["name", "force-platform"],
  ...["username", "password-stdin", "plain-http", "ca-cert"],
];

/** Refuses options that would do nothing without --from. */
function refuseIdle(parsed: Parsed): void {
  const idle = OF_AN_IMAGE.find((name) =>
    parsed.on(name) || parsed.value(name) !== undefined
  );
  if (idle === undefined) return;
  throw new UsageError(
    `--${idle} is about the image of --from` +
      (idle === "name" ? "; --tag names the new image" : ""),
  );
}
