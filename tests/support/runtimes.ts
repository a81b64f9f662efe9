import { allowing, ROOT, SOURCES } from "./ciso.ts";
import { isInstalled, run } from "./run.ts";

/** Something that runs ciso. */
export interface Runtime {
  name: string;
  /** What starts ciso. Its first word is the path of a program. */
  command: string[];
  /** Why it cannot run here. */
  missing?: string | undefined;
  /** Environment variables that it needs. */
  env?: Record<string, string> | undefined;
}

/** What scripts/build made, and what it said of each file. */
export interface Built {
  directory: string;
  said: string;
}

let made: Promise<Built> | undefined;

/**
 * The bundle and the programs for this machine: those that scripts/test made for
 * all tests, or new ones, which go with the process.
 */
export function built(): Promise<Built> {
  return made ??= (async () => {
    const shared = Deno.env.get("CISO_BUILT");
    if (shared) {
      const said = await Deno.readTextFile(`${shared}/said`);
      return { directory: shared, said };
    }
    const directory = await Deno.makeTempDir({ prefix: "isoc-built-" });
    addEventListener(
      "unload",
      () => Deno.removeSync(directory, { recursive: true }),
    );
    // Some tests have another user run it.
    await Deno.chmod(directory, 0o755);
    const { stdout, stderr } = await new Deno.Command(`${ROOT}/scripts/build`, {
      args: ["--binaries=host", directory],
    }).output();
    const said = new TextDecoder().decode(
      new Uint8Array([...stdout, ...stderr]),
    );
    return { directory, said };
  })();
}

/** Why scripts/build did not make a file; undefined if it did. */
export function notMade({ said }: Built, file: string): string | undefined {
  const line = said.split("\n").find((line) => line.includes(file));
  return line?.startsWith("made ") ? undefined : line ?? said.trim();
}

/** The sources under Deno, and the bundle under each runtime. */
export async function allRuntimes(permission: string): Promise<Runtime[]> {
  return [
    { name: "deno with the sources", command: allowing(permission) },
    ...await bundleRuntimes([permission]),
  ];
}

/** The bundle under each runtime of scripts/versions. */
export async function bundleRuntimes(
  permissions: string[] = [],
): Promise<Runtime[]> {
  const files = await built();
  const bundle = `${files.directory}/ciso.js`;
  const broken = notMade(files, "ciso.js");
  const deno = [...SOURCES.slice(0, -1), ...permissions];
  return [
    { name: "deno", command: [...deno, bundle], missing: broken },
    ...await Promise.all(
      [["bun", "bun"], ["node", "node"], ["oldest node", "node-oldest"]].map(
        async ([name, id]): Promise<Runtime> => {
          try {
            const program = await runtime(id!);
            return { name: name!, command: [program, bundle], missing: broken };
          } catch (error) {
            const missing = (error as Error).message.replaceAll("\n", " ");
            return { name: name!, command: [id!, bundle], missing };
          }
        },
      ),
    ),
  ];
}

/** The programs that scripts/build compiles for this machine. */
export async function compiledPrograms(): Promise<Runtime[]> {
  const files = await built();
  return ["Deno", "Bun"].map((compiler) => {
    const file = `ciso-${compiler.toLowerCase()}-${Deno.build.target}`;
    return {
      name: `a program compiled by ${compiler}`,
      command: [`${files.directory}/${file}`],
      missing: notMade(files, file),
    };
  });
}

/** The path of a runtime that scripts/versions lists. */
export async function runtime(id: string): Promise<string> {
  return (await run(`${ROOT}/scripts/runtime`, [id])).trim();
}

/** What a test cannot do without. */
export interface Needed {
  /** Why it is not here. */
  missing?: string | undefined;
}

/** Why a test that needs these programs cannot run here, if it cannot. */
export function lacking(...programs: string[]): Needed {
  const program = programs.find((program) => !isInstalled(program));
  return program ? { missing: `${program} is not installed` } : {};
}

/** Why a test that needs root cannot run here, if it cannot. */
export function lackingRoot(): Needed {
  return Deno.uid() === 0 ? {} : { missing: "not run by root" };
}

const CI = Deno.env.get("CI") === "true";

/**
 * Name and `ignore` of a test that something may be missing for. In CI it runs
 * all the same, and has to call {@linkcode assertNothingMissing}.
 */
export function unlessMissing(
  name: string,
  ...needed: Needed[]
): { name: string; ignore: boolean } {
  const missing = needed.map(({ missing }) => missing).find(Boolean);
  return missing && !CI
    ? { name: `${name} (${missing})`, ignore: true }
    : { name, ignore: false };
}

/** Asserts that all is there; in CI tests run even if not. */
export function assertNothingMissing(
  ...needed: Needed[]
): void {
  for (const { missing } of needed) {
    if (missing !== undefined) throw new Error(`Cannot run here: ${missing}`);
  }
}
