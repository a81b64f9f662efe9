import { InputError } from "../errors/input_error.ts";
import { readAppcManifest } from "./read_appc.ts";
import { readLxdImage } from "./read_lxd.ts";
import type { Platform } from "./read_oci.ts";
import { readRuntimeConfig } from "./read_runtime.ts";

/** The documents of the faces that read `rootfs/`, with what reads them. */
const READERS: readonly [string, (text: string) => Platform][] = [
  ["manifest", (text) => readAppcManifest(text).base.fields],
  ["config.json", (text) => readRuntimeConfig(text).fields],
  ["metadata.yaml", (text) => readLxdImage(text).fields],
];

/**
 * The platform that `rootfs/` is for, as the first of its documents says that
 * knows it.
 *
 * @param read Gives the text of a document; none if it is not there.
 * @returns `undefined` if no document says it.
 */
export async function rootfsPlatform(
  read: (path: string) => Promise<string | undefined> | string | undefined,
): Promise<Platform | undefined> {
  for (const [path, platformIn] of READERS) {
    const text = await read(path);
    if (text === undefined) continue;
    try {
      const { os, architecture, variant } = platformIn(text);
      if (architecture) return { os, architecture, variant };
    } catch (error) {
      // Whoever reads the document itself says what is wrong with it.
      if (!(error instanceof InputError)) throw error;
    }
  }
  return undefined;
}
