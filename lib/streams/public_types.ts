// Types of this room that both `mod.ts` and `node.ts` give to programs.

export type { Compression } from "./compression.ts";
export type { LayerMethod } from "./packing.ts";
export type { Patchwork } from "./patchwork.ts";
export type {
  FilePlace,
  HashBeside,
  Making,
  PackedFile,
  Source,
} from "./source.ts";
export type { SpooledSource } from "./spool.ts";
