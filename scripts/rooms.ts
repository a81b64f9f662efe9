/**
 * Checks how the files of lib/ import each other, types included.
 *
 * - `circular`: no file imports itself by way of others;
 * - `order`: a room imports only from rooms below it, and `node:`, `Deno` and
 *   `Bun` are used in lib/system and lib/cli alone, so that the rest of lib/ runs
 *   in a browser.
 *
 * Usage: rooms.ts circular|order [DIRECTORY]. Prints one line for each fault.
 * Exit status: 0 none, 1 faults, 2 wrong usage.
 *
 * @module
 */

/** The rooms, from the top floor down; those of one line are side by side. */
const FLOORS = [
  ["page"],
  ["cli"],
  ["node.ts"],
  ["mod.ts"],
  ["sign"],
  ["export", "inspect", "verify", "registry"],
  ["build"],
  ["edit"],
  ["directory"],
  ["rootfs"],
  ["alter"],
  ["packages"],
  ["read"],
  ["formats"],
  ["image"],
  ["tar"],
  ["system"],
  ["streams"],
  ["errors"],
];
/** What may use the runtime's own modules. */
const NEAR_THE_MACHINE = ["cli", "node.ts", "system"];

/** The files that each file imports; paths are relative to the directory. */
export type Imports = Map<string, string[]>;

/** A program, not a document such as deno.json, which belongs to no room. */
const RELATIVE = /\b(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/g;
const MACHINE = /\b(?:from|import)\s*\(?\s*"(node:[^"]+)"|\b(Deno|Bun)\.\w+/g;

/** Text of a program without its comments, in which examples may import. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** The imports of all TypeScript files below a directory, and their texts. */
async function readFiles(directory: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await walk(path);
      else if (name.endsWith(".ts")) {
        const text = withoutComments(await Deno.readTextFile(path));
        files.set(path.slice(directory.length + 1), text);
      }
    }
  };
  await walk(directory);
  return new Map([...files].sort());
}

/** Which files each file imports. */
export function importsOf(files: Map<string, string>): Imports {
  const imports: Imports = new Map();
  for (const [file, text] of files) {
    const found = [...text.matchAll(RELATIVE)].map(([, path]) =>
      new URL(path!, `file:///${file}`).pathname.slice(1)
    );
    imports.set(file, [...new Set(found)]);
  }
  return imports;
}

/** The circles among the files, each as the list of its files. */
export function circlesOf(imports: Imports): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    imports.get(file)?.forEach(visit);
    path.pop();
    done.add(file);
  };
  [...imports.keys()].forEach(visit);
  return circles;
}

/** What goes against the order of the rooms, a sentence each. */
export function disorderOf(files: Map<string, string>): string[] {
  const faults: string[] = [];
  const room = (file: string) => file.split("/")[0]!;
  const floor = (file: string) =>
    FLOORS.findIndex((rooms) => rooms.includes(room(file)));
  for (const [file, imported] of importsOf(files)) {
    if (floor(file) < 0) faults.push(`${file} is in no room of this list`);
    for (const other of imported) {
      if (room(file) === room(other)) continue;
      if (floor(file) < floor(other)) continue;
      faults.push(`${file} imports ${other}, which is not below it`);
    }
    if (NEAR_THE_MACHINE.includes(room(file))) continue;
    for (const [use] of files.get(file)!.matchAll(MACHINE)) {
      faults.push(`${file} uses ${use.replace(/^.*"(.*)"$/, "$1")}`);
    }
  }
  return faults;
}

if (import.meta.main) {
  const [what, directory = `${import.meta.dirname}/../lib`] = Deno.args;
  const files = await readFiles(directory);
  const faults = what === "order"
    ? disorderOf(files)
    : what === "circular"
    ? circlesOf(importsOf(files)).map((circle) => circle.join(" -> "))
    : undefined;
  if (!faults || files.size === 0) {
    console.error("usage: rooms.ts circular|order [DIRECTORY]");
    Deno.exit(2);
  }
  for (const fault of faults) console.error(`rooms: ${fault}`);
  if (faults.length > 0) Deno.exit(1);
}
