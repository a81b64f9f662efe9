/**
 * What of isoc needs files: for Deno, Bun and Node. All else is in `@isoc/isoc`,
 * which a browser can run too.
 *
 * @example
 * ```ts
 * import { build } from "@isoc/isoc";
 * import { openDirectory } from "@isoc/isoc/node";
 *
 * const tree = await openDirectory("tests/tar");
 * const isoc = await build(tree, { names: ["x"], command: ["/bin/sh"] });
 * console.log(isoc.size);
 * ```
 *
 * @module
 */
export { decompress, openFile } from "./system/open_file.ts";
export { compressBlocks } from "./system/compress_blocks.ts";
export { packChunks, type PackedChunks } from "./system/pack_layer.ts";
export { spoolToFile } from "./system/spool_file.ts";
export {
  type DirectoryInput,
  openDirectory,
} from "./directory/open_directory.ts";
export { IgnoreRules, type Verdict } from "./directory/dockerignore.ts";
export { FileError, type FileErrorOptions } from "./errors/file_error.ts";
export type { WalkOptions } from "./directory/walk.ts";
export type { Input } from "./system/input.ts";
export type { UnpackLimits } from "./system/unpack_limits.ts";
export type * from "./streams/public_types.ts";
