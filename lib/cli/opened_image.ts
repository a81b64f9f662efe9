import { directoryFiles } from "../directory/layout_directory.ts";
import { filesOfTar, type ImageFiles } from "../read/image_files.ts";
import { imagePath } from "../read/image_path.ts";
import { asOciLayout } from "../read/skopeo_layout.ts";
import type { RegistryClient } from "../registry/client.ts";
import { parseReference, type Reference } from "../registry/reference.ts";
import { remoteFiles } from "../registry/remote_files.ts";
import { host } from "../system/host.ts";
import type { SignatureCheck } from "./signature_check.ts";
import type { Input } from "../system/input.ts";

/** An image that a command line names, opened. */
export interface OpenedImage {
  /** The file, the directory or the reference, as messages call it. */
  path: string;
  /** The image of that name in the file, where the command line says one. */
  name?: string;
  files: ImageFiles;
  /** Whether each reading fetches it anew over the network. */
  isRemote: boolean;
}

/** How images are opened. */
export interface ImageOpener {
  /** Opens a file; `-` is standard input. Its maker closes what it opened. */
  openFile: (path: string) => Promise<Input>;
  /** Makes a client for a registry. */
  client: (reference: Reference) => Promise<RegistryClient>;
  /** Checks signatures; a directory, which cannot have one, is refused. */
  check?: SignatureCheck | undefined;
}

const REMOTE = /^docker:\/\//;

/** Whether a word of a command line is an image in a registry. */
export function isRemote(word: string): boolean {
  return REMOTE.test(word);
}

/**
 * Opens an image: a file, standard input, a directory with an image layout, or
 * an image in a registry.
 *
 * @param word `FILE[:NAME[:TAG]]`, `-`, a directory, or `docker://REFERENCE`.
 * @param opener What opens files and registries.
 * @throws {InputError} If it is not there, or is no image.
 */
export async function openImage(
  word: string,
  { openFile, client, check }: ImageOpener,
): Promise<OpenedImage> {
  if (isRemote(word)) {
    const reference = parseReference(word);
    const registry = await client(reference);
    const checked = await check?.remote(registry, reference) ?? reference;
    const files = await remoteFiles(registry, checked);
    return { path: word, files, isRemote: true };
  }
  const { path, name } = imagePath(word, host.exists);
  const isDirectory = path !== "-" && host.isDirectory(path);
  if (isDirectory && check) throw check.refuse(word);
  const files = isDirectory
    ? directoryFiles(path)
    : await filesOfTar(await openFile(path));
  return {
    path,
    ...(name !== undefined && { name }),
    files: await asOciLayout(files),
    isRemote: false,
  };
}
