/** Tells a file from all others that are there at the same time. */
export function fileId({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}
