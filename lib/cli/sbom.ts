import { shown } from "../errors/shown.ts";
import type { FoundImage } from "../inspect/found_image.ts";
import { imageSboms } from "../inspect/image_sbom.ts";
import type { OpenedImage } from "../inspect/open_image_file.ts";
import { SBOM_FORMATS, type SbomFormat } from "../packages/sbom_formats.ts";
import type { Platform } from "../read/read_oci.ts";
import { fromStream, type Source, toStream } from "../streams/source.ts";
import { sourceDate } from "./creation_time.ts";
import { unpackOnce } from "./image_input.ts";
import type { Parsed } from "./options.ts";
import { progressBar, unpackLimits } from "./output.ts";
import type { Progress } from "./progress.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";
import { VERSION } from "./version.ts";

/** An SBOM that the command line asks for. */
export interface WantedSbom {
  format: SbomFormat;
  /** Where it goes, if the command line says that. */
  path?: string;
  /** The platform of the image that it is about, where there are several. */
  platform?: Platform;
}

/**
 * Reads --sbom.
 *
 * @throws {UsageError} If it names no format, or a format or file twice.
 */
export function wantedSboms(parsed: Parsed): WantedSbom[] {
  const wanted = parsed.values("sbom").map((text): WantedSbom => {
    const [, word = "", path] = /^([^=]*)(?:=(.*))?$/s.exec(text)!;
    const format = SBOM_FORMATS.find((format) => format === word);
    if (format === undefined) {
      throw new UsageError(
        `--sbom: ${shown(word)} is not one of ${SBOM_FORMATS.join(", ")}`,
      );
    }
    if (path === "") {
      throw new UsageError(
        `--sbom ${format}= names no file: --sbom ${format}=FILE`,
      );
    }
    return { format, ...(path !== undefined && { path }) };
  });
  for (const [i, { format, path }] of wanted.entries()) {
    const before = wanted.slice(0, i);
    if (before.some((other) => other.format === format)) {
      throw new UsageError(`--sbom ${format} is there twice`);
    }
    if (path !== undefined && before.some((other) => other.path === path)) {
      throw new UsageError(`Both --sbom go to ${shown(path)}`);
    }
  }
  if (wanted.length === 0 && parsed.on("sbom-files")) {
    throw new UsageError("--sbom-files goes with --sbom");
  }
  return wanted;
}

/** The image that SBOMs are about. */
export interface SbomImage {
  opened: OpenedImage;
  image: FoundImage;
  /** Digest of its manifest in a registry, where it is pushed. */
  digest?: string;
}

/** The SBOMs of an image, written as the command line says. */
export async function sbomTexts(
  parsed: Parsed,
  wanted: readonly WantedSbom[],
  { opened, image, digest }: SbomImage,
): Promise<string[]> {
  const limits = unpackLimits(parsed);
  const files = parsed.on("sbom-files");
  const size = image.layers.reduce(
    (sum, { source }) => sum + (source?.size ?? 0),
    0,
  );
  const quiet = parsed.on("quiet");
  const bar = progressBar(quiet, "listing", files ? 2 * size : size);
  try {
    const { texts, warnings } = await imageSboms(
      opened,
      bar ? watched(image, bar) : image,
      {
        formats: wanted.map(({ format }) => format),
        files,
        maxUnpacked: limits.maxUnpacked,
        time: sourceDate(),
        version: VERSION,
        unpack: unpackOnce(limits),
        ...(digest !== undefined && { digest }),
      },
    );
    bar?.end();
    if (!quiet) { for (const warning of warnings) say(warning); }
    return texts;
  } finally {
    bar?.end();
  }
}

/** Bytes that can be read from their beginning on. */
type Streamed = Pick<Source, "stream">;

/** The same image; the bar shows what is read of its layers. */
function watched(image: FoundImage, bar: Progress): FoundImage {
  async function* counted(source: Streamed) {
    for await (const chunk of fromStream(source.stream())) {
      bar.add(chunk.length);
      yield chunk;
    }
  }
  const streamOf = (source: Streamed) => () => toStream(counted(source));
  return {
    ...image,
    layers: image.layers.map((layer) => {
      const { source } = layer;
      if (!source) return layer;
      return {
        ...layer,
        source: {
          size: source.size,
          stream: streamOf(source),
          slice: (start, end) => ({
            stream: streamOf(source.slice(start, end)),
          }),
        },
      };
    }),
  };
}
