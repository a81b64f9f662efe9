/** An image file on a command line. */
export interface ImagePath {
  /** The file, or the directory. */
  path: string;
  /** The name of the image in it, if one is said. */
  name?: string;
}

/**
 * Takes `FILE:NAME[:TAG]` apart. A colon may be in the path too: the longest
 * path that is there counts.
 *
 * @param text What the command line says.
 * @param exists Whether there is a file or a directory of that path.
 * @returns The text as a path if no other path of it is there.
 */
export function imagePath(
  text: string,
  exists: (path: string) => boolean,
): ImagePath {
  if (text === "-" || exists(text)) return { path: text };
  for (
    let colon = text.lastIndexOf(":");
    colon > 0;
    colon = text.lastIndexOf(":", colon - 1)
  ) {
    const path = text.slice(0, colon);
    const name = text.slice(colon + 1);
    if (name !== "" && (path === "-" || exists(path))) return { path, name };
  }
  return { path: text };
}
