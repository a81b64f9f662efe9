import { shown } from "../errors/shown.ts";
import type { ExportFace } from "../export/export_face.ts";
import { parseName } from "../image/name.ts";
import { host } from "../system/host.ts";
import { runQuietly } from "../system/programs.ts";
import { UsageError } from "./usage_error.ts";

/** An engine that loads images, by a program of its name. */
export interface Engine {
  name: string;
  /** The face of an isoc that it loads. */
  face: ExportFace;
  /** Arguments that make the program end well only if the engine answers. */
  probe: string[];
  /** The name of the file that it loads, if it reads no standard input. */
  file?: string;
  /**
   * Arguments that make it load the archive.
   *
   * @param file Where the file is.
   * @param names The image's names, with tags.
   */
  load: (file: string, names: string[]) => string[];
}

/** The engines, in the order in which they are looked for. */
export const ENGINES: Engine[] = [
  {
    name: "docker",
    face: "oci",
    // Without a daemon this fails, unlike docker --version.
    probe: ["version"],
    load: () => ["load"],
  },
  {
    name: "podman",
    face: "docker",
    probe: ["--version"],
    load: () => ["load"],
  },
  {
    name: "nerdctl",
    face: "oci",
    probe: ["info"],
    load: () => ["load"],
  },
  {
    name: "ctr",
    face: "oci",
    probe: ["version"],
    load: () => ["images", "import", "-"],
  },
  {
    name: "rkt",
    face: "appc",
    probe: ["version"],
    // rkt takes no other name for that of a file.
    file: "image.aci",
    load: (file) => ["--insecure-options=image", "fetch", file],
  },
  lxd("lxc"),
  lxd("incus"),
];

function lxd(name: string): Engine {
  return {
    name,
    face: "lxd",
    probe: ["query", "/1.0"],
    file: "image.tar",
    load: (file, names) => [
      "image",
      "import",
      file,
      ...names.slice(0, 1).flatMap((name) => ["--alias", alias(name)]),
    ],
  };
}

/** A name as LXD writes them: it takes what is before a colon for a server. */
function alias(name: string): string {
  const { repository, tag } = parseName(name);
  const path = tag === "latest" ? repository : `${repository}/${tag}`;
  return path.replaceAll(":", "/");
}

/**
 * Finds the engine to load an image with.
 *
 * @param wanted Its name; the first one that is here unless given.
 * @throws {UsageError} If it is not here, or none is.
 */
export function findEngine(wanted?: string): Engine {
  if (wanted !== undefined) {
    const engine = ENGINES.find(({ name }) => name === wanted);
    const names = ENGINES.map(({ name }) => name).join(", ");
    if (!engine) {
      throw new UsageError(
        `--engine: ${shown(wanted)} is not one of ${names}`,
      );
    }
    if (host.hasProgram(wanted)) return engine;
    throw new UsageError(`There is no ${wanted} here (not on PATH)`);
  }
  const reasons: string[] = [];
  const forbidden: string[] = [];
  for (const engine of ENGINES) {
    const { name, probe } = engine;
    if (!host.hasProgram(name)) reasons.push(`${name} (not on PATH)`);
    else {
      const answers = runQuietly(name, probe);
      if (answers) return engine;
      if (answers === undefined) forbidden.push(name);
      reasons.push(
        `${name} (${answers === undefined ? "cannot be run" : "no answer"})`,
      );
    }
  }
  throw new UsageError(
    `There is no engine here that loads images; looked for ${
      reasons.join(", ")
    }${
      forbidden.length > 0
        ? `. Under deno run, allow it with --allow-run=${forbidden.join(",")}`
        : ""
    }`,
  );
}
