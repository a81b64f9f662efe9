import { type Source, toStream } from "../streams/source.ts";
import {
  type SpooledSource,
  spoolToMemory,
  type StreamSpool,
} from "../streams/spool.ts";
import { type EditOptions, editsOf } from "./edit_options.ts";
import { editedTar } from "./edited_tar.ts";
import type { EditedTar, Tally } from "./edits.ts";
import { sortedTar } from "./sorted.ts";

/** How {@linkcode edit} works. */
export interface EditWork {
  /**
   * Whether the tar is a layer of an image, in which names that start with `.wh.`
   * delete files of lower layers.
   */
  isLayer?: boolean;
  /**
   * Holds the edited tar: {@linkcode spoolToMemory} unless given, which costs as
   * much memory as the tar has bytes. `spoolToFile` of `@isoc/isoc/node` costs a
   * temporary file.
   */
  spool?: StreamSpool;
  /** Bytes that the holes of sparse files may take when they are filled. */
  maxUnpacked?: number;
}

/** A tar that {@linkcode edit} has made. */
export interface Edited extends SpooledSource {
  /** What each edit came to, in their order. */
  readonly edits: readonly Tally[];
}

/**
 * Edits the tar of a rootfs or of a layer: leaves files out, adds some, changes
 * paths, modes, owners and times, sorts. Only headers that change are written
 * anew. docs/edits.md says what each edit means.
 *
 * @param tar The tar, uncompressed. A `Blob` will do.
 * @param options What is changed. Nothing but these edits is done.
 * @param work How.
 * @returns The edited tar, for {@linkcode build}. Close it after use, if it has
 * `close()`.
 * @throws {DescriptionError} If an option breaks a rule.
 * @throws {InputError} If the input is no tar, nothing is left of it, or an added
 * file has no place; the message names the entry.
 *
 * @example
 * ```ts
 * import { build, edit } from "@isoc/isoc";
 * import assert from "node:assert/strict";
 *
 * const { stdout } = await new Deno.Command("tar", {
 *   args: ["-c", "-C", "tests", "tar", "edit"],
 * }).output();
 * const rootfs = await edit(new Blob([stdout]), {
 *   exclude: ["edit", "!edit/mode_test.ts"],
 *   add: [{ path: "etc/issue", data: "hello\n", mode: 0o600 }],
 *   chmod: [{ glob: "tar/*", mode: "a+x" }],
 *   owner: { uid: 0, gid: 0 },
 *   mtime: 1433851200,
 *   sort: true,
 * });
 * assert.equal(rootfs.edits.find(({ edit }) => edit === "add")!.entries, 1);
 * const isoc = await build(rootfs, { names: ["x"], command: ["/bin/sh"] });
 * assert.equal(isoc.layers.length, 1);
 * ```
 */
export async function edit(
  tar: Source,
  options: EditOptions,
  work: EditWork = {},
): Promise<Edited> {
  const { isLayer = false, spool = spoolToMemory, maxUnpacked } = work;
  const edits: Tally[] = [];
  const { sort, ...changes } = editsOf(options, edits);
  const part: EditedTar = { isLayer, maxUnpacked };
  const spooled = await spool(toStream(editedTar(tar, changes, part)));
  const close = () => spooled.close?.();
  if (!sort) return asEdited(spooled, edits, close);
  try {
    const { tally } = sort;
    const sorted = await sortedTar(spooled, { ...part, edits: changes, tally });
    return asEdited(sorted, edits, close);
  } catch (error) {
    close();
    throw error;
  }
}

/** A source with what edits came to. */
function asEdited(
  source: Source,
  edits: readonly Tally[],
  close: () => void,
): Edited {
  return {
    isSteady: source.isSteady,
    stream: () => source.stream(),
    slice: (start, end) => source.slice(start, end),
    edits,
    close,
  };
}
