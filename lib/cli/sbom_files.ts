import type { Isoc } from "../build/isoc.ts";
import { shown } from "../errors/shown.ts";
import { chooseImage } from "../inspect/choose_found_image.ts";
import { fromBeginning } from "../inspect/layer_tars.ts";
import { openImageFile } from "../inspect/open_image_file.ts";
import { SBOM_KINDS, type SbomFormat } from "../packages/sbom_formats.ts";
import type { Platform } from "../read/read_oci.ts";
import { utf8 } from "../streams/bytes.ts";
import { fromStream } from "../streams/source.ts";
import { host } from "../system/host.ts";
import { openInput } from "../system/open_input.ts";
import { openOutput, type Output } from "../system/output.ts";
import type { Parsed } from "./options.ts";
import { unpackLimits } from "./output.ts";
import { sbomTexts, type WantedSbom, wantedSboms } from "./sbom.ts";
import { UsageError } from "./usage_error.ts";

/** An archive that SBOMs are made of. */
export interface SbomArchive {
  /** Where it goes; `undefined` is standard output. */
  path: string | undefined;
  /** What it is made of, which no SBOM may replace. */
  inputs: readonly string[];
  /** The platforms of its images, if they are several. */
  platforms?: readonly Platform[];
}

/** SBOMs that go to files, which appear when all of them are complete. */
export class SbomFiles {
  readonly #wanted: readonly WantedSbom[];
  readonly #outputs: Output[] = [];

  private constructor(wanted: readonly WantedSbom[]) {
    this.#wanted = wanted;
  }

  /**
   * Opens the files that SBOMs beside an archive go to, so that a place where
   * nothing can be written shows before the work.
   *
   * @throws {UsageError} If there is no place for one.
   */
  static async beside(
    parsed: Parsed,
    archive: SbomArchive,
  ): Promise<SbomFiles> {
    const { path, inputs, platforms = [undefined] } = archive;
    const wanted = wantedSboms(parsed).flatMap((one) =>
      platforms.map((platform) => placed(one, path, platform))
    );
    const others = path === undefined ? inputs : [...inputs, path];
    return await SbomFiles.open(wanted, others);
  }

  /**
   * Opens files for SBOMs that all have a path.
   *
   * @param others Files that no SBOM may replace.
   */
  static async open(
    wanted: readonly WantedSbom[],
    others: readonly string[],
  ): Promise<SbomFiles> {
    const files = new SbomFiles(wanted);
    try {
      for (const { format, path } of wanted) {
        checkPath(path!, format, others);
        files.#outputs.push(await openOutput(path));
      }
    } catch (error) {
      files.abort();
      throw error;
    }
    return files;
  }

  /**
   * Writes the SBOMs of an archive that is complete.
   *
   * @param path Where it is.
   * @param stream Gives its bytes, if it is no file.
   */
  async writeFor(
    parsed: Parsed,
    path: string | undefined,
    stream: () => ReadableStream<Uint8Array>,
  ): Promise<void> {
    if (this.#wanted.length === 0) return;
    const isFile = path !== undefined && host.fileIdentity(path) !== undefined;
    const input = isFile
      ? await openInput(path, unpackLimits(parsed))
      : undefined;
    try {
      const opened = await openImageFile(
        input ?? fromBeginning(() => fromStream(stream())),
      );
      const texts = new Map<WantedSbom, string>();
      for (
        const platform of new Set(this.#wanted.map(({ platform }) => platform))
      ) {
        const wanted = this.#wanted.filter((one) => one.platform === platform);
        const image = chooseImage(opened, platform ?? {});
        const all = await sbomTexts(parsed, wanted, { opened, image });
        for (const [i, one] of wanted.entries()) texts.set(one, all[i]!);
      }
      await this.write(this.#wanted.map((one) => texts.get(one)!));
    } finally {
      input?.close();
    }
  }

  /** Writes the texts; then the files appear. */
  async write(texts: readonly string[]): Promise<void> {
    for (const [i, text] of texts.entries()) {
      const writer = this.#outputs[i]!.writable.getWriter();
      await writer.write(utf8(text));
      await writer.close();
    }
    for (const output of this.#outputs.splice(0)) await output.commit();
  }

  /** Removes what is not complete. */
  abort(): void {
    for (const output of this.#outputs.splice(0)) output.abort();
  }
}

/** Gives an SBOM the place that it has beside an archive. */
function placed(
  { format, path }: WantedSbom,
  archive: string | undefined,
  platform: Platform | undefined,
): WantedSbom {
  if (path === "-") {
    throw new UsageError(
      `--sbom ${format}=- is for ciso inspect: give a file`,
    );
  }
  if (path !== undefined && platform) {
    throw new UsageError(
      `--sbom ${format}=${
        shown(path)
      }: each platform has an SBOM of its own; ` +
        `with --sbom ${format} they are beside the archive`,
    );
  }
  if (path !== undefined) return { format, path };
  const isFile = archive !== undefined &&
    !(host.exists(archive) && host.fileIdentity(archive) === undefined);
  if (!isFile) {
    throw new UsageError(
      "The archive is no file that the SBOM could be beside: give it one " +
        `with --sbom ${format}=FILE`,
    );
  }
  const words = platform && [
    platform.os,
    platform.architecture,
    platform.variant,
  ].filter(Boolean).join("-");
  const { suffix } = SBOM_KINDS[format];
  return {
    format,
    path: [archive, words, suffix].filter(Boolean).join("."),
    ...(platform && { platform }),
  };
}

/**
 * Makes an archive, and the SBOMs beside it that the command line asks for.
 *
 * @param make Writes the archive.
 */
export async function withSboms<T extends Pick<Isoc, "stream">>(
  parsed: Parsed,
  archive: SbomArchive,
  make: () => Promise<T>,
): Promise<T> {
  const files = await SbomFiles.beside(parsed, archive);
  try {
    const made = await make();
    await files.writeFor(parsed, archive.path, () => made.stream());
    return made;
  } finally {
    files.abort();
  }
}

function checkPath(
  path: string,
  format: SbomFormat,
  others: readonly string[],
): void {
  const place = host.fileIdentity(path);
  const same = others.find((other) =>
    other === path ||
    (place !== undefined &&
      host.fileIdentity(other === "-" ? 0 : other) === place)
  );
  if (same === undefined) return;
  throw new UsageError(
    `--sbom ${format}: ${shown(path)} is the image itself: give another file`,
  );
}
