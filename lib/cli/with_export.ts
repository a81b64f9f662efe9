import { BlobCopies } from "../export/blob_copies.ts";
import {
  type Exported,
  type ExportFace,
  exportFace,
} from "../export/export_face.ts";
import { FaceMissingError } from "../export/face_missing_error.ts";
import { type Head, readHead } from "../export/head.ts";
import type { Platform } from "../read/read_oci.ts";
import type { Sink } from "../streams/sink.ts";
import { fromStream } from "../streams/source.ts";
import { host } from "../system/host.ts";
import { type Flow, openFlow } from "../system/open_input.ts";
import { hashBeside } from "../system/ring_hash.ts";
import { spoolLayer } from "../system/spool_file.ts";
import type { Wanted } from "./build_inputs.ts";
import { ofImage, wantedImage } from "./convert.ts";
import { platformOf } from "./platform_words.ts";
import { ofFile } from "./failure.ts";
import { hostPlatform } from "./host_platform.ts";
import { imageAnew, isNoArchive } from "./image_anew.ts";
import { InputStore } from "./input_store.ts";
import { onePlatform } from "./one_platform.ts";
import type { Parsed } from "./options.ts";
import { progressBar, unpackLimits } from "./output.ts";
import type { Progress } from "./progress.ts";
import { say } from "./say.ts";
import { signatureCheck } from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

/** A face, the platform that was chosen for it, and how to write it. */
export type ExportedPlatform = Exported & {
  platform?: Platform | undefined;
  /** What writes it into the file where it goes. */
  copies?: BlobCopies | undefined;
};

/**
 * Calls a function with the file that a face goes into.
 *
 * @returns `undefined` if it goes elsewhere.
 */
export type Place = (
  write: (sink: Sink) => Promise<true>,
) => Promise<true | undefined>;

/** Which face is taken out of an archive. */
export interface WantedFace {
  face: ExportFace;
  /**
   * Whether it is that of the image for this machine, if there are several and
   * --platform is not given.
   */
  forHost?: boolean;
  /** Gives the file that the face goes into, if it is one. */
  place?: Place;
}

/** Does something with a face; all of its errors name the archive. */
export type UseFace = (
  exported: ExportedPlatform,
  name: string,
  bar: Progress | undefined,
) => Promise<void>;

/**
 * Opens an archive and takes a face out of it: of the image for --platform, if it
 * is given.
 */
export async function withExport(
  path: string,
  parsed: Parsed,
  wanted: WantedFace,
  use: UseFace,
): Promise<void> {
  const given = onlyPlatform(parsed);
  const store = new InputStore(unpackLimits(parsed));
  const work = { path, parsed, given, store };
  try {
    if (isNoArchive(path)) {
      const exported = await exportAnew(work, wanted);
      await use({ ...exported, platform: given }, path, undefined);
    } else await withArchive(work, wanted, use);
  } finally {
    store.close();
  }
}

/** The archive of a command line. */
interface Work {
  path: string;
  parsed: Parsed;
  /** The platform that the command line says. */
  given: Platform | undefined;
  /** Holds what is spooled. */
  store: InputStore;
}

async function withArchive(
  work: Work,
  wanted: WantedFace,
  use: UseFace,
): Promise<void> {
  const { path, parsed } = work;
  const { face, place } = wanted;
  const name = path === "-" ? "standard input" : path;
  const flow = await openFlow(
    path === "-" ? undefined : path,
    unpackLimits(parsed),
    (await signatureCheck(parsed))?.of(path),
  );
  const bar = progressBar(parsed.on("quiet"), "reading", flow.size);
  try {
    const head = await ofImage(path, () => readHead(counted(flow.chunks, bar)));
    const { chunks, platform } = await imageOf(work, wanted, flow, head);
    const run = async (copies?: BlobCopies) => {
      const open = () =>
        exportFace(chunks, face, (chunks) => flow.keep(chunks), {
          drain: flow.size === undefined && !platform,
          hashBeside,
          copies,
        });
      const exported = await begun(open).catch((error) => {
        if (!isRemade(path, error)) throw ofFile(name, error);
        return exportAnew(work, wanted);
      });
      const what = { ...exported, platform, copies };
      await ofImage(path, () => use(what, name, bar));
      return true as const;
    };
    const { file } = flow;
    const isPlaced = file && !platform &&
      await place?.((sink) =>
        run(new BlobCopies(file, sink, (bytes) => bar?.add(bytes)))
      );
    if (!isPlaced) await run();
  } finally {
    bar?.end();
    flow.close();
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  bar: Progress | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    bar?.add(chunk.length);
    yield chunk;
  }
}

/** The archive, or one of only the image for the platform that is wanted. */
async function imageOf(
  { path, parsed, given, store }: Work,
  { forHost = false }: WantedFace,
  flow: Flow,
  { documents, blocks }: Head,
): Promise<{ chunks: AsyncGenerator<Uint8Array>; platform?: Platform }> {
  const isOfHost = !given && forHost &&
    await ofImage(path, () => documents.platforms.length > 1);
  const platform = given ?? (isOfHost ? hostPlatform() : undefined);
  if (!platform) return { chunks: blocks };
  const reason = given ? {} : { reason: ", as this machine is" };
  const kept = await flow.keep(blocks);
  return {
    chunks: await onePlatform(
      kept,
      { path, platform, ...reason },
      parsed,
      store,
    ),
    platform,
  };
}

/** Whether a face that is missing may be made of what a file has. */
function isRemade(path: string, error: unknown): boolean {
  return error instanceof FaceMissingError && path !== "-" &&
    host.fileIdentity(path) !== undefined;
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
  { path, parsed, given, store }: Work,
  { face, forHost = false }: WantedFace,
): Promise<Exported> {
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
