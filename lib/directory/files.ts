import { utf8 } from "../streams/bytes.ts";
import { denoFacts, type FileFacts, fileFacts } from "./file_facts.ts";
import { openFlags } from "./piece_reader.ts";
import { deno, dirname, fs, isDeno, process } from "../system/node.ts";

/**
 * The files of a tree. Paths are bytes, which need not be UTF-8. All throw the
 * runtime's own errors.
 */
export const files = {
  /** Whether this runtime hides some facts, see `gnu_find.ts`. */
  get hidesFacts(): boolean {
    return isDeno && process().platform === "linux";
  },
  /** The names in a directory, in no order; of Deno's only those in UTF-8. */
  namesIn(path: Uint8Array): Uint8Array[] {
    if (deno) {
      // It writes U+FFFD for what is not UTF-8, which leads nowhere.
      return Array.from(deno.readDirSync(fsPath(path)), ({ name }) => name)
        .filter((name) =>
          !name.includes("\ufffd") ||
          fs.lstatSync(`${fsPath(path)}/${name}`, { throwIfNoEntry: false })
        ).map(utf8);
    }
    return fs.readdirSync(fsPath(path), { encoding: "buffer" });
  },
  /** How many files a directory holds. */
  countIn(path: Uint8Array): number {
    if (!deno) return fs.readdirSync(fsPath(path)).length;
    let count = 0;
    for (const _ of deno.readDirSync(fsPath(path))) count++;
    return count;
  },
  /** What a file is. Deno cuts times to milliseconds. */
  facts(path: Uint8Array): FileFacts {
    if (deno) return denoFacts(deno.lstatSync(fsPath(path)));
    return fileFacts(fs.lstatSync(fsPath(path), { bigint: true }));
  },
  /** A symlink's target; Deno throws an error without a code if it is not UTF-8. */
  target(path: Uint8Array): Uint8Array {
    return isDeno
      ? utf8(fs.readlinkSync(fsPath(path)))
      : fs.readlinkSync(fsPath(path), { encoding: "buffer" });
  },
  /** Opens a file, to see whether it can be read. */
  tryToRead(path: Uint8Array): void {
    fs.closeSync(fs.openSync(fsPath(path), openFlags(fs)));
  },
  /**
   * The identity by which a walk finds the output in its tree: of the directory
   * that it goes to, or of standard output itself where that is a file.
   */
  outputIdentity(path: string | undefined): string | undefined {
    try {
      if (path === undefined) {
        const stat = fs.fstatSync(1, { bigint: true });
        return stat.isFile() ? fileFacts(stat).identity : undefined;
      }
      const there = fs.statSync(path, { throwIfNoEntry: false });
      if (there && !there.isFile()) return undefined;
      const place = dirname(there ? fs.realpathSync(path) : path);
      return fileFacts(fs.statSync(place, { bigint: true })).identity;
    } catch {
      // Opening it will say what is wrong.
      return undefined;
    }
  },
};

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A path for `node:fs`, whose types do not know that bytes will do. */
export function fsPath(path: Uint8Array): string {
  return isDeno ? decoder.decode(path) : path as unknown as string;
}
