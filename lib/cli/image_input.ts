import { directoryFiles } from "../directory/layout_directory.ts";
import type { FoundImage } from "../inspect/found_image.ts";
import { chooseImage } from "../inspect/choose_found_image.ts";
import { fromBeginning, type Unpack } from "../inspect/layer_tars.ts";
import { type OpenedImage, openImageFile } from "../inspect/open_image_file.ts";
import type { Compression } from "../streams/compression.ts";
import { fromStream } from "../streams/source.ts";
import { unpack } from "../system/decompress.ts";
import { shown, shownList } from "../errors/shown.ts";
import { imagePath } from "../read/image_path.ts";
import { host } from "../system/host.ts";
import type { Input } from "../system/input.ts";
import { openInput } from "../system/open_input.ts";
import { openSpool } from "../system/spool_file.ts";
import type { UnpackLimits } from "../system/unpack_limits.ts";
import { platformOf } from "./platform_words.ts";
import { ofFile } from "./failure.ts";
import type { Parsed } from "./options.ts";
import { unpackLimits } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/** An image file that a command line names, and the image to take of it. */
export interface ImageInput {
  /** What messages and reports call it. */
  name: string;
  opened: OpenedImage;
  image: FoundImage;
  compression?: Compression;
}

/** Errors that name their image file already. */
const named = new WeakSet<object>();

/**
 * Opens the image file at a path, chooses an image by --platform and --name, and
 * closes it after use. Errors about its content name it.
 *
 * @param word The file, or a directory; `-` is standard input. `:NAME[:TAG]`
 * may follow, which is an image of several.
 * @param isOverview Whether any image of several will do.
 */
export async function withImage<T>(
  word: string,
  parsed: Parsed,
  use: (input: ImageInput) => Promise<T>,
  isOverview = false,
): Promise<T> {
  const { path, name: wanted } = imagePath(word, host.exists);
  const name = path === "-" ? "standard input" : path;
  const option = parsed.value("name");
  let input: Input | undefined;
  try {
    if (wanted !== undefined && option !== undefined) {
      throw new UsageError(
        `${word} names an image already: leave out --name ${option}`,
      );
    }
    let opened;
    if (path !== "-" && host.isDirectory(path)) {
      opened = await openImageFile({
        ...directoryFiles(path),
        pathOf: (path) => path,
      });
    } else {
      input = await openInput(
        path === "-" ? undefined : path,
        unpackLimits(parsed),
      );
      opened = await openImageFile(input);
    }
    const image = chooseImage(
      opened,
      platformOf(parsed),
      wanted ?? option,
      isOverview,
    );
    const compression = input?.compression;
    return await use({
      name,
      opened,
      image,
      ...(compression && { compression }),
    });
  } catch (error) {
    // Of two images that are open at once, the inner one is at fault.
    if (named.has(error as object)) throw error;
    const own = ofFile(name, error);
    named.add(own as object);
    throw own;
  } finally {
    input?.close();
  }
}

/**
 * The words of a command line, which must be that many.
 *
 * @param takes What the command takes, for the message.
 */
export function wordsOf(
  parsed: Parsed,
  takes: string,
  least: number,
  most: number,
): string[] {
  const words = [...parsed.words, ...parsed.rest ?? []];
  if (words.length < least || words.length > most) {
    throw new UsageError(
      `${takes}, but here ${
        words.length === 0
          ? "is nothing"
          : words.length === 1
          ? `is only ${shown(words[0])}`
          : `are ${words.length}: ${shownList(words)}`
      }`,
    );
  }
  return words;
}

/** Takes compressions off as the bytes are needed, without a copy. */
export function unpackOnce(limits: UnpackLimits): Unpack {
  return (source, compression, name) =>
    fromBeginning(() =>
      unpack(fromStream(source.stream()), compression, name, limits)
    );
}

/** Takes compressions off once, into files of the temporary directory. */
export function unpackToFiles(limits: UnpackLimits, open: Input[]): Unpack {
  return (source, compression, name) => {
    const input = openSpool(
      -1,
      name,
      unpack(fromStream(source.stream()), compression, name, limits),
    );
    open.push(input);
    return input as Input & { size?: number | undefined };
  };
}
