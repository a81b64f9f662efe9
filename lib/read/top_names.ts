/** Names that are remembered at most. */
const MAX_NAMES = 100_000;

/** The names at the top of an archive: they tell where a missing image is. */
export class TopNames {
  /** The first parts of all paths. */
  readonly top = new Set<string>();
  /** Those of them that have a `rootfs` in them. */
  readonly rootfsIn = new Set<string>();

  /**
   * Takes note of an entry.
   *
   * @param path Its path, normalized; the root's is empty.
   */
  add(path: string): void {
    const first = path.replace(/\/.*/s, "");
    if (this.top.size < MAX_NAMES) this.top.add(first);
    if (isRootfsIn(first, path) && this.rootfsIn.size < MAX_NAMES) {
      this.rootfsIn.add(first);
    }
  }
}

/** Whether a path is the `rootfs` of a directory at the top, or below that. */
function isRootfsIn(first: string, path: string): boolean {
  const rest = first.length + 1;
  return path.startsWith("rootfs", rest) &&
    (path.length === rest + 6 || path[rest + 6] === "/");
}
