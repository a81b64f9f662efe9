import { shown, shownWord } from "../errors/shown.ts";
import { imagePath } from "../read/image_path.ts";
import { host } from "../system/host.ts";
import { choiceOf, type Command, optionsOf, type Program } from "./command.ts";
import { nearestWord } from "./nearest_word.ts";
import type { Parsed } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Checks the files that a command line names before any is opened: that each
 * input is a file and no name of an image elsewhere, and that the output is not
 * one of the inputs.
 *
 * @throws {UsageError} If not; the message says what to do instead.
 */
export function checkFiles(
  command: Command,
  parsed: Parsed,
  program: Program,
): void {
  if ((command.words ?? "files") !== "files") return;
  const { words } = parsed;
  const isFirst = command === program.commands[0];
  if (isFirst && words[0] !== undefined) checkCommand(words[0], program);
  // What push sends goes to a reference, which is no file.
  const inputs = command.name === "push" ? words.slice(0, 1) : words;
  for (const word of inputs) checkTransport(word, command.name);
  const files = optionsOf(command).filter((option) =>
    option.name !== "output" && choiceOf(option).kind === "files"
  ).flatMap(({ name }) => parsed.values(name));
  for (const file of files) checkTransport(file, "convert");
  checkOutput(command, parsed, [...words, ...files]);
}

/** A word that is neither a file nor a command, but looks like a command. */
function checkCommand(word: string, { commands }: Program): void {
  if (!/^[a-z][a-z-]*$/.test(word) || host.exists(word)) return;
  const meant = nearestWord(word, commands.map(({ name }) => name));
  throw new UsageError(
    `There is no command and no file ${shown(word)}${
      meant ? `: did you mean ciso ${meant}?` : "; ciso help lists the commands"
    }`,
  );
}

/** How other tools name images that are not files, and how to get at them. */
const TRANSPORTS = new Map<string, (rest: string) => string>([
  ["docker-daemon", (name) => `docker save ${name} | ciso convert -o FILE`],
  [
    "containers-storage",
    (name) => `podman save ${name} | ciso convert -o FILE`,
  ],
  ["docker-archive", (path) => `give the file alone: ciso convert ${path}`],
  ["oci-archive", (path) => `give the file alone: ciso convert ${path}`],
  ["oci", (path) => `give the directory alone: ciso convert ${path}`],
  [
    "dir",
    (path) =>
      `skopeo copy dir:${path} oci-archive:FILE.tar, then ciso convert FILE.tar`,
  ],
  ["http", (rest) => `curl -L http:${rest} | ciso …`],
  ["https", (rest) => `curl -L https:${rest} | ciso …`],
  ["file", (path) => `give the path alone: ${path.replace(/^\/\//, "")}`],
]);

/** A name and a tag, as in a registry. */
const REFERENCE = /^[a-z0-9][a-z0-9._/-]*:[\w.-]+$/;

/** Refuses `oci:…`, `https:…` and such, which are no paths here. */
function checkTransport(word: string, command: string): void {
  // Other words may name files that Deno must not look for, as those of cat do.
  if (!word.includes(":")) return;
  const [, scheme = "", rest = ""] = /^([a-z-]+):(.+)$/s.exec(word) ?? [];
  if (host.exists(imagePath(word, host.exists).path)) return;
  // Other commands may take images of registries.
  if (scheme === "docker" && command === "build" && rest.startsWith("//")) {
    throw new UsageError(
      `${shownWord(word)} is an image in a registry, not a root file system: ` +
        `ciso convert ${shownWord(word)}, or ciso build --from`,
    );
  }
  if (scheme === "docker" && !TAKES_REMOTE.has(command)) {
    throw new UsageError(
      `${shownWord(word)} is not a file: ciso pull ${
        shownWord(rest.replace(/^\/\//, ""))
      } -o FILE, then ciso ${command} FILE`,
    );
  }
  const remedy = TRANSPORTS.get(scheme);
  if (remedy) {
    throw new UsageError(
      `${shownWord(word)} is not a file: ${remedy(shownWord(rest))}`,
    );
  }
  // As docker and podman write an image: alpine:3, library/alpine:3.
  if (REFERENCE.test(word) && !/\.(tar|isoc|aci)\b/.test(word)) {
    const remote = `docker://${word}`;
    throw new UsageError(
      `There is no file ${
        shownWord(word)
      }; where it is an image in a registry, ` +
        (TAKES_REMOTE.has(command)
          ? `write ${remote}`
          : `fetch it: ciso pull ${word} -o FILE`),
    );
  }
}

/** The commands that take `docker://REFERENCE` beside files. */
const TAKES_REMOTE = new Set(["convert", "push"]);

/** The options that name a file to be written, and how messages write them. */
const OUTPUTS = [["output", "-o"], ["html", "--html"]] as const;

/**
 * Refuses an output that is one of the inputs, or of the files of a directory
 * with an image, whatever path leads there.
 */
function checkOutput(command: Command, parsed: Parsed, words: string[]): void {
  const [name, flag] =
    OUTPUTS.find(([name]) =>
      command.options.some((option) => option.name === name)
    ) ?? [];
  // Without -o there is an archive on standard output, without --html no page.
  if (
    name === undefined || name === "html" && parsed.value(name) === undefined
  ) return;
  const output = parsed.value(name) ?? "-";
  const place = host.fileIdentity(output === "-" ? 1 : output);
  if (place === undefined) return;
  const inputs = words.length > 0 ? words : ["-"];
  for (const word of inputs) {
    const { path } = imagePath(word, host.exists);
    // A rootfs may leave out the directory that its archive goes to.
    const isImage = command.name !== "build" || parsed.value("from") === word;
    const isPart = isImage && output !== "-" && host.isDirectory(path) &&
      host.isBelow(output, path);
    const isSame = host.fileIdentity(path === "-" ? 0 : path) === place;
    if (!isSame && !isPart) continue;
    throw new UsageError(
      `The output is ${isPart ? "a file of " : ""}the input ${
        path === "-" ? "on standard input" : shownWord(path)
      }: give another file with ${flag}`,
    );
  }
}
