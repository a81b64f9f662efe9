import { printLines, say } from "./say.ts";
import { FileError } from "../errors/file_error.ts";
import type { Exported } from "../export/export_face.ts";
import { platformText } from "../read/choose_image.ts";
import { openTemporary } from "../system/new_directory.ts";
import { runProgram } from "../system/programs.ts";
import { toStream } from "../streams/source.ts";
import { type Engine, findEngine } from "./engines.ts";
import { archivePath } from "./export.ts";
import type { Parsed } from "./options.ts";
import { writeOutput } from "./output.ts";
import { type ExportedPlatform, withExport } from "./with_export.ts";

/**
 * Runs `ciso load`: gives an engine the face of an isoc that it needs.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong, or no engine is here.
 * @throws {Error} If the archive cannot be read or the engine fails, which has
 * said why.
 */
export async function runLoad(parsed: Parsed): Promise<void> {
  const path = archivePath(parsed, "load");
  const engine = findEngine(parsed.value("engine"));
  const { name, face, file } = engine;
  const what = { face, forHost: true };
  await withExport(path, parsed, what, async (exported, _name, bar) => {
    // The engine shows one of its own.
    bar?.end();
    const line = commandLine(engine, path, exported);
    if (parsed.on("dry-run")) {
      await exported.chunks.return(undefined);
      printLines([line]);
      return;
    }
    if (parsed.on("verbose")) say(line);
    const code = file === undefined
      ? await runProgram(name, engine.load("", exported.names), exported.chunks)
      : await loadFile(engine, file, exported);
    if (code !== 0) {
      throw new FileError(`${name} did not load ${path} (exit code ${code})`);
    }
  });
}

/** Has an engine load a file that is gone afterwards. */
async function loadFile(
  engine: Engine,
  name: string,
  { chunks, names }: Exported,
): Promise<number> {
  const directory = openTemporary();
  try {
    const file = `${directory.path}/${name}`;
    await writeOutput(toStream(chunks), file, { noFsync: true });
    return await runProgram(engine.name, engine.load(file, names));
  } finally {
    directory.remove();
  }
}

/** What is done, as a line for the shell. */
function commandLine(
  engine: Engine,
  path: string,
  { names, platform }: ExportedPlatform,
): string {
  const { name, face, file } = engine;
  const load = [name, ...engine.load(file ?? "", names)];
  const take = ["ciso", "export", path, "--as", face];
  if (platform) take.push("--platform", platformText(platform));
  return file === undefined
    ? `${quoted(take)} | ${quoted(load)}`
    : `${quoted([...take, "-o", file])} && ${quoted(load)}`;
}

function quoted(words: string[]): string {
  return words.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
  ).join(" ");
}
