import { shown, shownList } from "../errors/shown.ts";
import { say } from "./say.ts";
import type { Exported, ExportFace } from "../export/export_face.ts";
import { type Losses, unpack, type UnpackOptions } from "../export/extract.ts";
import { rootless } from "../export/rootless.ts";
import { host } from "../system/host.ts";
import { openNewDirectory } from "../system/new_directory.ts";
import { isRoot, ownIds } from "../system/own_ids.ts";
import { toStream } from "../streams/source.ts";
import { packingOf } from "./compress_options.ts";
import { layerPacking } from "./layer_packing.ts";
import { convertFile } from "./convert.ts";
import { EXPORT_FACES } from "./export_options.ts";
import type { Parsed } from "./options.ts";
import {
  outputPath,
  placeOutput,
  unpackLimits,
  writeOutput,
} from "./output.ts";
import { UsageError } from "./usage_error.ts";
import { type Place, withExport } from "./with_export.ts";

/**
 * Runs `ciso export`.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {Error} If the export fails; the message is for the user.
 */
export async function runExport(parsed: Parsed): Promise<void> {
  const face = faceOf(parsed);
  const path = archivePath(parsed, "export");
  const output = outputPath(parsed);
  const packing = packingOf(parsed);
  if (face !== "isoc" && parsed.values("faces").length > 0) {
    throw new UsageError("--faces goes with --as isoc: another face is alone");
  }
  const directory = directoryOf(parsed, face, output);
  if (directory !== undefined && packing) {
    throw new UsageError("--compress is for a file, not for a directory");
  }
  const quiet = parsed.on("quiet");
  const tell = (line: string) => quiet || say(line);
  if (face === "isoc") {
    // An archive as ciso writes it now has to be made anew.
    return await convertFile(path, parsed);
  }
  if (remakesLayers(parsed, face)) {
    return await convertFile(path, withFaces(parsed, facesOf(face)));
  }
  const noFsync = parsed.on("no-fsync");
  const place: Place = (write) =>
    placeOutput(
      directory !== undefined || packing ? undefined : output,
      write,
      noFsync,
    );
  let told: string[] = [];
  await withExport(
    path,
    parsed,
    { face, place },
    async (exported, name, bar) => {
      const { chunks, copies, names, twice } = exported;
      if (directory !== undefined) {
        const losses = await unpackBundle(exported, directory, {
          maxUnpacked: unpackLimits(parsed).maxUnpacked,
          allowDevices: parsed.on("allow-devices"),
        });
        bar?.end();
        for (const note of notes(losses)) tell(note);
      } else if (copies) await copies.write(chunks);
      else await writeOutput(toStream(chunks), output, { noFsync, packing });
      bar?.end();
      told = [
        `${output ?? "standard output"}: the ${face} face of ${name}` +
        (names.length > 0 ? ` (${names.join(", ")})` : ""),
        ...twice ? [readTwice(name)] : [],
      ];
    },
  );
  // The file has its name now.
  if (parsed.on("verbose")) { for (const line of told) tell(line); }
}

/** Why an export takes longer than it must. */
function readTwice(name: string): string {
  return `${name} was read twice: what it says of its image does not come ` +
    "first, as ciso export --as isoc puts it";
}

/** The directory that a bundle is unpacked to, if it is. */
function directoryOf(
  parsed: Parsed,
  face: ExportFace | "isoc",
  output: string | undefined,
): string | undefined {
  const isDirectory = face === "bundle" && output !== undefined &&
    (output.endsWith("/") || host.isDirectory(output));
  if (parsed.on("allow-devices") && !isDirectory) {
    throw new UsageError("--allow-devices goes with --as bundle -o DIR/");
  }
  return isDirectory ? output : undefined;
}

/**
 * The archive that a command line names; `-` for standard input.
 *
 * @throws {UsageError} If it names several, or none and there is no input.
 */
export function archivePath(parsed: Parsed, command: string): string {
  const words = [...parsed.words, ...parsed.rest ?? []];
  if (words.length > 1) {
    throw new UsageError(
      `ciso ${command} takes one archive, but here are ${words.length}: ` +
        shownList(words),
    );
  }
  const [path = "-"] = words;
  if (path === "-" && host.isTerminal(0)) {
    throw new UsageError(
      "There is no archive: give an isoc file, or pipe one in",
    );
  }
  return path;
}

/** Whether layers are to be compressed, or must not be any more. */
function remakesLayers(parsed: Parsed, face: ExportFace): boolean {
  return layerPacking(parsed) !== undefined ||
    (parsed.value("layer-compression") === "none" &&
      (face === "docker" || face === "oci"));
}

/** The faces of an archive with compressed layers that is exported. */
function facesOf(face: ExportFace): string {
  if (face === "docker") return "docker";
  // As each OCI layout that is exported, it is for docker load, too.
  if (face === "oci") return "docker,oci";
  throw new UsageError(
    "--layer-compression goes with --as docker, oci or isoc: no other face has " +
      "layers that may be compressed",
  );
}

function withFaces(parsed: Parsed, faces: string): Parsed {
  return {
    ...parsed,
    value: (name) => name === "faces" ? faces : parsed.value(name),
  };
}

function faceOf(parsed: Parsed): ExportFace | "isoc" {
  const given = parsed.value("as");
  const face = EXPORT_FACES.find((face) => face === given);
  if (face) return face;
  throw new UsageError(
    given === undefined
      ? `ciso export needs --as: one of ${EXPORT_FACES.join(", ")}`
      : `--as: ${shown(given)} is not one of ${EXPORT_FACES.join(", ")}`,
  );
}

/** Unpacks a bundle to a directory, for runc. */
async function unpackBundle(
  { chunks }: Exported,
  path: string,
  options: UnpackOptions,
): Promise<Losses> {
  const directory = openNewDirectory(path);
  try {
    const losses = await unpack(chunks, directory.path, options);
    if (!isRoot()) {
      const file = `${directory.path}/config.json`;
      const config = rootless(JSON.parse(host.readText(file)), ownIds());
      const text = new Blob([`${JSON.stringify(config)}\n`]);
      await writeOutput(text.stream(), file, { noFsync: true });
    }
    directory.commit();
    return losses;
  } catch (error) {
    directory.abort();
    throw error;
  }
}

/** What a directory does not have of the rootfs, in sentences. */
function* notes(losses: Losses): Generator<string> {
  const lost = {
    owners: "owners were left out, which only root may set",
    devices: isRoot()
      ? "devices and FIFOs were left out: they need the program mknod, and " +
        "under deno run --allow-run=mknod"
      : "devices and FIFOs were left out: they need root and the program mknod",
    unsafe: "block devices and devices that everybody may write to were left " +
      "out: --allow-devices makes them, runc does without them",
    xattrs: "extended attributes were left out, which no runtime can set",
  };
  for (const [what, { count, first }] of losses) {
    yield `${lost[what]} (${count}, first ${first})`;
  }
  if (!isRoot()) {
    yield "config.json runs it in a user namespace, as root of which this user acts";
  }
}
