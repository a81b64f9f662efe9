import { InputError } from "../errors/input_error.ts";
import { inParallel } from "../streams/in_parallel.ts";
import { type LentFile, writeChecked } from "../streams/write_checked.ts";
import { openNewDirectory } from "../system/new_directory.ts";
import { fs, join } from "../system/node.ts";
import { openFileOutput, type OutputOptions } from "../system/output.ts";
import { openPlain } from "../system/plain_open.ts";

/**
 * The index of an OCI image layout that is at a path.
 *
 * @returns `undefined` if there is nothing, or an empty directory.
 * @throws {InputError} If there is something else.
 */
export function indexThere(path: string): string | undefined {
  const there = fs.statSync(path, { throwIfNoEntry: false });
  if (!there) return undefined;
  if (there.isDirectory()) {
    if (fs.readdirSync(path).length === 0) return undefined;
    const index = join(path, "index.json");
    if (fs.existsSync(join(path, "oci-layout")) && fs.existsSync(index)) {
      return plainText(index);
    }
  }
  throw new InputError(
    `${path} is there, and is no OCI image layout: give another directory`,
  );
}

function plainText(path: string): string {
  const fd = openPlain(path);
  try {
    return fs.readFileSync(fd, "utf8");
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Writes the files of an OCI image layout, in their order: into a new directory,
 * which appears when it is complete, or into one that is a layout already, whose
 * index changes last. A symlink that is there is replaced: who made the layout
 * must not choose which file is written.
 *
 * @param path The directory.
 * @param files The files, by relative paths without dots; blobs that are there already are passed over.
 * @param options What gets the progress, and whether to wait for the disk.
 * @throws {FileError} If one cannot be written.
 */
export async function writeLayout(
  path: string,
  files: readonly LentFile[],
  options: OutputOptions = {},
): Promise<void> {
  const isThere = indexThere(path) !== undefined;
  const directory = isThere ? undefined : openNewDirectory(path);
  const home = directory?.path ?? path;
  try {
    fs.mkdirSync(join(home, "blobs", "sha256"), { recursive: true });
    const isBlob = ({ path }: LentFile) => path.startsWith("blobs/");
    // They may come over a network, each of them slowly.
    await inParallel(files.filter(isBlob), 4, async (file) => {
      const place = join(home, ...file.path.split("/"));
      const there = fs.statSync(place, { throwIfNoEntry: false });
      // A blob's name is its digest.
      if (there?.size !== file.size) await write(place, file, options);
    });
    for (const file of files.filter((file) => !isBlob(file))) {
      await write(join(home, ...file.path.split("/")), file, options);
    }
    directory?.commit();
  } catch (error) {
    directory?.abort();
    throw error;
  }
}

async function write(
  place: string,
  file: LentFile,
  options: OutputOptions,
): Promise<void> {
  const output = openFileOutput(place, { ...options, replaceSymlink: true });
  if (!output) throw new InputError(`${place} is no plain file: remove it`);
  try {
    const { onWritten = () => {} } = options;
    await writeChecked(file, output.sink, 0, onWritten);
    await output.commit();
  } catch (error) {
    output.abort();
    throw error;
  }
}
