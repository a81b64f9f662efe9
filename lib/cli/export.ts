import { FaceMissingError } from "../export/face_missing_error.ts";
import { shown, shownList } from "../errors/shown.ts";
import { say } from "./say.ts";
import {
  type Exported,
  type ExportFace,
  exportFace,
} from "../export/export_face.ts";
import { type Losses, unpack, type UnpackOptions } from "../export/extract.ts";
import { readHead } from "../export/head.ts";
import { rootless } from "../export/rootless.ts";
import type { Platform } from "../read/read_oci.ts";
import { host } from "../system/host.ts";
import { openFlow } from "../system/open_input.ts";
import { openNewDirectory } from "../system/new_directory.ts";
import { hashBeside } from "../system/ring_hash.ts";
import { isRoot, ownIds } from "../system/own_ids.ts";
import { spoolLayer } from "../system/spool_file.ts";
import { fromStream, toStream } from "../streams/source.ts";
import type { Wanted } from "./build_inputs.ts";
import { packingOf } from "./compress_options.ts";
import { layerPacking } from "./layer_packing.ts";
import { convertFile, ofImage, wantedImage } from "./convert.ts";
import { platformOf } from "./description.ts";
import { EXPORT_FACES } from "./export_options.ts";
import { ofFile } from "./failure.ts";
import { hostPlatform } from "./host_platform.ts";
import { imageAnew, isNoArchive } from "./image_anew.ts";
import { InputStore } from "./input_store.ts";
import { onePlatform } from "./one_platform.ts";
import type { Parsed } from "./options.ts";
import type { Progress } from "./progress.ts";
import {
  outputPath,
  progressBar,
  unpackLimits,
  writeOutput,
} from "./output.ts";
import { signatureCheck } from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

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
  const toDirectory = face === "bundle" && output !== undefined &&
    (output.endsWith("/") || host.isDirectory(output));
  if (parsed.on("allow-devices") && !toDirectory) {
    throw new UsageError("--allow-devices goes with --as bundle -o DIR/");
  }
  if (toDirectory && packing) {
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
  await withExport(path, parsed, { face }, async (exported, name, bar) => {
    if (toDirectory) {
      const losses = await unpackBundle(exported, output, {
        maxUnpacked: unpackLimits(parsed).maxUnpacked,
        allowDevices: parsed.on("allow-devices"),
      });
      bar?.end();
      for (const note of notes(losses)) tell(note);
    } else {
      await writeOutput(toStream(exported.chunks), output, {
        noFsync: parsed.on("no-fsync"),
        packing,
      });
    }
    bar?.end();
    if (!parsed.on("verbose")) return;
    const names = exported.names.join(", ");
    tell(
      `${output ?? "standard output"}: the ${face} face of ${name}` +
        (names ? ` (${names})` : ""),
    );
    if (exported.twice) {
      tell(
        `${name} was read twice: what it says of its image does not come ` +
          "first, as ciso export --as isoc puts it",
      );
    }
  });
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

/** A face, and the platform that was chosen for it. */
export type ExportedPlatform = Exported & { platform?: Platform | undefined };

/**
 * Opens an archive and takes a face out of it: of the image for --platform, if it
 * is given.
 *
 * @param forHost Whether it is that of the image for this machine, if there are
 * several and --platform is not given.
 * @param use What is done with the face; all of its errors name the archive.
 */
export async function withExport(
  path: string,
  parsed: Parsed,
  { face, forHost = false }: { face: ExportFace; forHost?: boolean },
  use: (
    exported: ExportedPlatform,
    name: string,
    bar: Progress | undefined,
  ) => Promise<void>,
): Promise<void> {
  const limits = unpackLimits(parsed);
  const given = onlyPlatform(parsed);
  if (isNoArchive(path)) {
    const store = new InputStore(limits);
    try {
      const exported = await exportAnew(path, parsed, { face, forHost }, store);
      await use({ ...exported, platform: given }, path, undefined);
    } finally {
      store.close();
    }
    return;
  }
  const name = path === "-" ? "standard input" : path;
  const flow = await openFlow(
    path === "-" ? undefined : path,
    limits,
    (await signatureCheck(parsed))?.of(path),
  );
  const bar = progressBar(parsed.on("quiet"), "reading", flow.size);
  async function* counted() {
    for await (const chunk of flow.chunks) {
      bar?.add(chunk.length);
      yield chunk;
    }
  }
  const store = new InputStore(limits);
  try {
    const { documents, blocks } = await ofImage(
      path,
      () => readHead(counted()),
    );
    const isOfHost = forHost &&
      await ofImage(path, () => documents.platforms.length > 1);
    const platform = given ?? (isOfHost ? hostPlatform() : undefined);
    const chunks = platform
      ? await onePlatform(
        await flow.keep(blocks),
        {
          path,
          platform,
          ...(!given && { reason: ", as this machine is" }),
        },
        parsed,
        store,
      )
      : blocks;
    const exported = await begun(() =>
      exportFace(
        chunks,
        face,
        (chunks) => flow.keep(chunks),
        { drain: flow.size === undefined && !platform, hashBeside },
      )
    ).catch(async (error) => {
      const isFile = path !== "-" && host.fileIdentity(path) !== undefined;
      if (!(error instanceof FaceMissingError) || !isFile) {
        throw ofFile(name, error);
      }
      return await exportAnew(path, parsed, { face, forHost }, store);
    });
    await ofImage(path, () => use({ ...exported, platform }, name, bar));
  } finally {
    bar?.end();
    store.close();
    flow.close();
  }
}

/** A face of which the first bytes are there: nothing is wrong up to these. */
async function begun(open: () => Promise<Exported>): Promise<Exported> {
  const exported = await open();
  const { chunks } = exported;
  const first = await chunks.next();
  return {
    ...exported,
    chunks: (async function* () {
      try {
        if (!first.done) yield first.value;
        yield* chunks;
      } finally {
        await chunks.return(undefined);
      }
    })(),
  };
}

/** Takes a face out of an isoc that is made of an image. */
async function exportAnew(
  path: string,
  parsed: Parsed,
  { face, forHost }: { face: ExportFace; forHost: boolean },
  store: InputStore,
): Promise<Exported> {
  const given = onlyPlatform(parsed);
  const wanted: Wanted = {
    ...wantedImage(
      path,
      parsed,
      given ?? (forHost ? hostPlatform() : undefined),
    ),
    check: await signatureCheck(parsed),
  };
  if (!given) wanted.choice.anyPlatform = true;
  const isBlobs = face === "docker" || face === "oci";
  const isoc = await imageAnew(
    parsed,
    wanted,
    store,
    isBlobs ? ["docker", "oci"] : undefined,
  );
  if (!parsed.on("quiet")) { for (const note of isoc.notes) say(note); }
  return await exportFace(
    fromStream(isoc.stream()),
    face,
    async (chunks) => store.add(await spoolLayer(chunks)),
    { hashBeside },
  );
}

/** The one platform that --platform says. */
function onlyPlatform(parsed: Parsed): Platform | undefined {
  const values = parsed.values("platform");
  if (values.length > 1) {
    throw new UsageError(
      "A face is of one platform: ciso convert --platform A --platform B " +
        "makes an isoc of several",
    );
  }
  return values.length === 0 ? undefined : platformOf(parsed);
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
