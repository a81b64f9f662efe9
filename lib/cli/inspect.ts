import { InputError } from "../errors/input_error.ts";
import { escapedJson, shown } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { parseJson } from "../formats/json_text.ts";
import type { FoundImage } from "../inspect/found_image.ts";

import { inspectReport } from "../inspect/inspect.ts";
import { type InspectReport, REPORT_VERSION } from "../inspect/report.ts";
import {
  type ImageTree,
  readImageTree,
  type TreeOptions,
} from "../inspect/layer_tars.ts";
import { toStream } from "../streams/source.ts";
import { host } from "../system/host.ts";
import {
  type ImageInput,
  unpackOnce,
  withImage,
  wordsOf,
} from "./image_input.ts";
import { inspectPage } from "../inspect/page.ts";
import { layerText, reportText } from "./inspect_text.ts";
import { packageLines, packagesJson } from "./list_packages.ts";
import { say } from "./say.ts";
import { sbomTexts, type WantedSbom, wantedSboms } from "./sbom.ts";
import { SbomFiles } from "./sbom_files.ts";
import { fileLines, filesJson, nodeAt } from "./list_files.ts";
import type { Parsed } from "./options.ts";
import { unpackLimits, writeOutput } from "./output.ts";
import { printLines } from "./print_lines.ts";
import { paintFor, plain } from "./style.ts";
import { UsageError } from "./usage_error.ts";

/** What the options ask for; one of them at a time. */
const VIEWS = [
  "files",
  "config",
  "manifest",
  "html",
  "packages",
  "sbom",
] as const;

/** The documents that --manifest prints; image manifests have no fixed place. */
const MANIFESTS = new Map([
  ["appc", "manifest"],
  ["docker", "manifest.json"],
  ["bundle", "config.json"],
  ["lxd", "metadata.yaml"],
]);
const MANIFEST_FACES = [...MANIFESTS.keys(), "oci", "docker-v1"];

/**
 * Runs `ciso inspect`.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If the file is no image that can be read.
 */
export async function runInspect(parsed: Parsed): Promise<void> {
  const views = VIEWS.filter((name) =>
    parsed.on(name) || parsed.value(name) !== undefined
  );
  if (views.length > 1) {
    throw new UsageError(
      `--${views[0]} and --${views[1]} exclude each other`,
    );
  }
  const [view] = views;
  if (view === "html" && parsed.on("json")) {
    throw new UsageError("--html and --json exclude each other");
  }
  const [path = "-", below] = view === "files"
    ? wordsOf(parsed, "ciso inspect --files takes an image and one path", 0, 2)
    : wordsOf(parsed, "ciso inspect takes one image", 0, 1);
  if (path === "-" && host.isTerminal(0)) {
    throw new UsageError(
      "There is no image: give a file or a directory, or pipe an image in",
    );
  }
  const manifest = parsed.value("manifest");
  if (manifest !== undefined && !MANIFEST_FACES.includes(manifest)) {
    throw new UsageError(
      `--manifest: ${shown(manifest)} is not one of ${
        MANIFEST_FACES.join(", ")
      }`,
    );
  }
  const sboms = wantedSboms(parsed);
  if (sboms.length > 0 && parsed.value("layer") !== undefined) {
    throw new UsageError("--sbom and --layer exclude each other");
  }
  const isOverview = view === undefined || view === "html";
  await withImage(path, parsed, async (input) => {
    if (view === "sbom") return await writeSboms(parsed, sboms, path, input);
    if (view === "config") return await printDocument(configOf(input));
    if (manifest !== undefined) {
      return await printDocument(manifestOf(input, manifest));
    }
    const only = layerNumber(parsed, input.image);
    const read = await readImageTree(
      input.image,
      input.opened.archive,
      unpackOnce(unpackLimits(parsed)),
      treeOptions(view, only),
    );
    if (view === "files") return await printFiles(parsed, read, below);
    if (view === "packages") return await printPackages(parsed, read, only);
    const report = inspectReport({ ...input, read });
    if (view !== "html") return await printReport(parsed, report, only);
    const page = inspectPage(report, input.opened, read.layered.tree);
    const html = parsed.value("html");
    await writeOutput(toStream(page), html === "-" ? undefined : html);
  }, isOverview);
}

/** What a view needs to know of the image's tree. */
function treeOptions(
  view: (typeof VIEWS)[number] | undefined,
  only: number | undefined,
): TreeOptions {
  // A layer's packages are those of the whole image that came with it.
  if (view === "packages") return { packages: { thorough: true } };
  if (view === "files" || only !== undefined) return { only };
  return { packages: {} };
}

/** Prints an SBOM, or writes files. */
async function writeSboms(
  parsed: Parsed,
  wanted: readonly WantedSbom[],
  image: string,
  { opened, image: chosen }: ImageInput,
): Promise<void> {
  const isPrinted = ({ path = "-" }: WantedSbom) => path === "-";
  if (wanted.filter(isPrinted).length > 1) {
    throw new UsageError(
      "Two SBOMs cannot go to standard output: --sbom spdx=FILE",
    );
  }
  const toFiles = wanted.filter((one) => !isPrinted(one));
  const files = await SbomFiles.open(toFiles, [image]);
  try {
    const order = [...toFiles, ...wanted.filter(isPrinted)];
    const texts = await sbomTexts(parsed, order, {
      opened,
      image: chosen,
    });
    await files.write(texts.slice(0, toFiles.length));
    await printLines(texts.slice(toFiles.length));
  } finally {
    files.abort();
  }
}

/** Lists packages: all, or those that came with one layer. */
async function printPackages(
  parsed: Parsed,
  { packages: list }: ImageTree,
  only: number | undefined,
): Promise<void> {
  const packages = list!.packages.filter(({ layer }) =>
    only === undefined || layer === only + 1
  );
  if (!parsed.on("json")) { for (const note of list!.warnings) say(note); }
  await printLines(
    parsed.on("json")
      ? packagesJson(list!, packages)
      : packageLines(packages, paintFor(parsed)),
  );
}

/** The layer that --layer names, counted from 0. */
function layerNumber(parsed: Parsed, image: FoundImage): number | undefined {
  const text = parsed.value("layer");
  if (text === undefined) return undefined;
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= image.layers.length) return number - 1;
  throw new UsageError(
    `--layer: ${
      shown(text)
    } is not one of the image's layers, which are 1 to ${image.layers.length}`,
  );
}

async function printReport(
  parsed: Parsed,
  report: InspectReport,
  only: number | undefined,
): Promise<void> {
  const paint = paintFor(parsed);
  if (only === undefined) {
    await printLines([
      parsed.on("json")
        ? `${escapedJson(report)}\n`
        : reportText(report, paint),
    ]);
    return;
  }
  const layer = report.image.layers[only]!;
  const { version, tree } = report;
  await printLines([
    parsed.on("json")
      ? `${escapedJson({ version, layer, tree })}\n`
      : layerText(layer, tree, paint),
  ]);
}

async function printFiles(
  parsed: Parsed,
  { layered: { tree } }: ImageTree,
  path: string | undefined,
): Promise<void> {
  const from = nodeAt(tree, path);
  if (from === undefined) {
    throw new InputError(
      `There is no ${plain(path ?? "")} in the image's tree`,
    );
  }
  const paint = paintFor(parsed);
  const lines = parsed.on("json")
    ? filesJson(tree, from, REPORT_VERSION)
    : fileLines(tree, from, paint, host.isTerminal(1));
  await printLines(lines);
}

function configOf({ image }: ImageInput): string {
  if (image.config) return image.config.text;
  throw new InputError(
    "It has no image config; --manifest prints the documents that it has",
  );
}

function manifestOf({ opened, image }: ImageInput, face: string): string {
  const found = face === "oci"
    ? image.manifest
    : face === "docker-v1"
    ? [...opened.documents.values()].findLast(({ faces, path }) =>
      faces.includes("docker-v1") && path.endsWith("json")
    )
    : opened.documents.get(MANIFESTS.get(face)!);
  if (found) return found.text;
  throw new InputError(
    `It has no ${face} face; those that it has are ${opened.faces.join(", ")}`,
  );
}

/** Prints a document byte for byte; on a terminal for people, and safely. */
async function printDocument(text: string): Promise<void> {
  if (!host.isTerminal(1)) {
    await printLines([text.endsWith("\n") ? text : `${text}\n`]);
    return;
  }
  // Else it is YAML, or damaged.
  const pretty =
    unlessRefused(() => JSON.stringify(parseJson("It", text), null, 2)) ?? text;
  const lines = pretty.replace(/\n$/, "").split("\n");
  await printLines(lines.map((line) => `${plain(line, line.length)}\n`));
}
