import { InputError } from "../errors/input_error.ts";
import { indexThere, writeLayout } from "../directory/write_layout.ts";
import type { ImageFiles } from "../read/image_files.ts";
import type { RegistryClient } from "../registry/client.ts";
import {
  type ImageParts,
  imageParts,
  pushParts,
} from "../registry/copy_image.ts";
import { layoutFiles } from "../registry/layout_files.ts";
import { layoutTar, writeLayoutTar } from "../registry/layout_tar.ts";
import { madeParts } from "../registry/served_images.ts";
import type { Pushed } from "../registry/push_image.ts";
import { formatReference, type Reference } from "../registry/reference.ts";
import { host } from "../system/host.ts";
import { hostPlatform } from "./host_platform.ts";
import type { Input } from "../system/input.ts";
import { openInput } from "../system/open_input.ts";
import { IMAGE_OPTIONS, WORK_OPTIONS } from "./build_options.ts";
import { platformOf } from "./platform_words.ts";
import { ofFile } from "./failure.ts";
import { checkPlace } from "./foreign_words.ts";
import { Stopped } from "./gentle_stop.ts";
import { type ImagePlace, imagePlace } from "./image_place.ts";
import { openImage } from "./opened_image.ts";
import { type Parsed, parseOptions } from "./options.ts";
import { pushPacking } from "./pack_layer.ts";
import {
  placeOutput,
  progressBar,
  unpackLimits,
  writeOutput,
} from "./output.ts";
import type { Progress } from "./progress.ts";
import { newCounts, printPushed, pushOptions } from "./push_report.ts";
import { registryClient } from "./registry_client.ts";
import { printJson } from "./say.ts";
import { signatureCheck } from "./signature_check.ts";
import { VERIFY_OPTIONS } from "./signature_options.ts";
import { UsageError } from "./usage_error.ts";

/** A copy that is asked for. */
interface Copy {
  from: ImagePlace;
  to: ImagePlace;
  /** The source as the command line has it. */
  word: string;
  parsed: Parsed;
}

/**
 * Runs `ciso copy`: an image from one place to another, byte for byte where the
 * place can hold it so.
 *
 * @param parsed The command line.
 * @returns The exit code, if a signal stopped it.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If the image cannot be read, or a registry refuses.
 */
export async function runCopy(parsed: Parsed): Promise<number | void> {
  const [word, target, ...more] = parsed.words;
  if (word === undefined || target === undefined || more.length > 0) {
    throw new UsageError(
      "ciso copy takes two places, such as ciso copy " +
        "docker://registry.example/me/app:1.0 oci:app",
    );
  }
  if (parsed.on("all-platforms") && parsed.value("platform") !== undefined) {
    throw new UsageError("--all-platforms and --platform exclude each other");
  }
  const tags = parsed.values("tag");
  const from = imagePlace(word);
  const to = imagePlace(target);
  if (from.kind === "file") checkPlace(word, false);
  if (to.kind === "file") checkPlace(target, true);
  refuseSame(from, to);
  if (to.kind === "docker" && to.reference.digest !== undefined) {
    throw new UsageError("The digest comes of what is copied: give a tag");
  }
  const open: Input[] = [];
  try {
    const copy = { from, to, word, parsed };
    if (to.kind === "file" || to.kind === "docker-archive") {
      return await toArchive(copy, to);
    }
    if (tags.length > 0) {
      throw new UsageError(
        "--tag is for a new archive: other places have the name in the word, " +
          `such as oci:DIR:TAG; leave out --tag ${tags[0]}`,
      );
    }
    return await copyParts(copy, open);
  } catch (error) {
    if (error instanceof Stopped) return error.exitCode;
    throw error;
  } finally {
    for (const input of open) input.close();
  }
}

/** Refuses to write what is read. */
function refuseSame(from: ImagePlace, to: ImagePlace): void {
  if (from.kind === "docker" || to.kind === "docker") return;
  const there = host.fileIdentity(from.path);
  if (there !== undefined && there === host.fileIdentity(to.path)) {
    throw new UsageError(`${to.path} is the image itself: give another path`);
  }
}

/** An isoc, or a Docker archive, is made anew; the layers stay what they are. */
async function toArchive(
  { from, parsed }: Copy,
  to: ImagePlace & { path: string; name?: string },
): Promise<void> {
  const source = from.kind === "docker"
    ? `docker://${formatReference(from.reference)}`
    : from.name === undefined
    ? from.path
    : `${from.path}:${from.name}`;
  const signed = VERIFY_OPTIONS.map(({ name }) => name);
  const kept = ["platform", "tag", "username", "ca-cert", ...signed];
  const passed = kept.flatMap((name) =>
    parsed.values(name).map((value) => `--${name}=${value}`)
  );
  const names = [
    "quiet",
    "verbose",
    "plain-http",
    "password-stdin",
    "no-fsync",
    "json",
  ];
  const switches = names.filter((name) => parsed.on(name)).map((name) =>
    `--${name}`
  );
  if (parsed.on("all-platforms")) passed.push("--platform=all");
  if (to.kind === "docker-archive") passed.push("--faces=docker");
  if (to.name !== undefined) passed.push(`--tag=${to.name}`);
  // A build has much to load.
  const { convertFile } = await import("./convert.ts");
  await convertFile(
    source,
    parseOptions([...passed, ...switches, `--output=${to.path}`], [
      ...IMAGE_OPTIONS,
      ...VERIFY_OPTIONS,
      ...WORK_OPTIONS,
    ]),
  );
}

async function copyParts(copy: Copy, open: Input[]): Promise<void> {
  const { from, to, word, parsed } = copy;
  const bar = progressBar(parsed.on("quiet"), "copying", undefined);
  const counts = newCounts();
  try {
    const files = await openPlace(from, parsed, open);
    const name = from.kind === "docker" ? undefined : from.name;
    const all = parsed.on("all-platforms");
    const platform = platformOf(parsed);
    const isChosen = parsed.value("platform") !== undefined;
    const choice = {
      // As engines do, of several the one for this machine.
      platform: isChosen ? platform : hostPlatform(),
      anyPlatform: !isChosen,
      ...(name !== undefined && { name }),
    };
    const parts = await imageParts(files, { ...choice, allPlatforms: all });
    if (to.kind !== "docker") {
      if (!parts && all) throw noLayout();
      const written = parts ?? await madeParts(files, choice);
      await toLayout(written, to as LayoutPlace, parsed, bar);
      bar?.end();
      if (parsed.on("json")) printCopied(written, to as LayoutPlace);
      return;
    }
    const { reference } = to;
    const client = await registryClient(parsed, reference);
    const options = {
      ...pushOptions(parsed, pushPacking(parsed), bar, counts),
      mountFrom: mountable(from, reference),
    };
    let pushed: Pushed;
    if (parts) pushed = await pushParts(client, reference, parts, options);
    else if (all) throw noLayout();
    else {
      const { pushOne } = await import("./push.ts");
      pushed = await pushOne({ client, reference }, files, choice, options);
    }
    bar?.end();
    printPushed(parsed, reference, pushed, counts);
  } catch (error) {
    throw ofFile(
      to.kind === "docker"
        ? `${word} to ${formatReference(to.reference)}`
        : word,
      error,
    );
  } finally {
    bar?.end();
  }
}

function noLayout(): InputError {
  return new InputError(
    "It lists no platforms: copy it without --all-platforms",
  );
}

/** Of the same registry, layers need not be sent. */
function mountable(from: ImagePlace, to: Reference): string[] {
  return from.kind === "docker" && from.reference.registry === to.registry
    ? [from.reference.repository]
    : [];
}

async function openPlace(
  from: ImagePlace,
  parsed: Parsed,
  open: Input[],
): Promise<ImageFiles> {
  const client = (reference: Reference): Promise<RegistryClient> =>
    registryClient(parsed, reference);
  const check = await signatureCheck(parsed);
  const openFile = async (path: string) => {
    const input = await openInput(
      path === "-" ? undefined : path,
      unpackLimits(parsed),
      check?.of(path),
    );
    open.push(input);
    return input;
  };
  const word = from.kind === "docker"
    ? `docker://${formatReference(from.reference)}`
    : from.path;
  return (await openImage(word, { client, openFile, check })).files;
}

/** Says what a layout got. */
function printCopied({ top }: ImageParts, { path }: LayoutPlace): void {
  const { digest, mediaType, bytes } = top;
  const size = bytes.length;
  const copied = { version: 1, path, digest, mediaType, size };
  printJson(copied, path === "-" ? 2 : 1);
}

type LayoutPlace = { kind: "oci" | "oci-archive"; path: string; name?: string };

async function toLayout(
  parts: ImageParts,
  { kind, path, name }: LayoutPlace,
  parsed: Parsed,
  bar: Progress | undefined,
): Promise<void> {
  const noFsync = parsed.on("no-fsync");
  const onBytes = (count: number) => bar?.add(count);
  if (kind === "oci") {
    const files = layoutFiles(parts, name, indexThere(path));
    return await writeLayout(path, files, { onWritten: onBytes, noFsync });
  }
  const files = layoutFiles(parts, name);
  const file = path === "-" ? undefined : path;
  const isWritten = await placeOutput(
    file,
    (sink) => writeLayoutTar(files, sink, onBytes).then(() => true),
    noFsync,
  );
  if (!isWritten) await writeOutput(layoutTar(files), file, { bar, noFsync });
}
