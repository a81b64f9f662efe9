import { BlobCopies } from "../export/blob_copies.ts";
import {
  type Exported,
  type ExportFace,
  exportFace,
} from "../export/export_face.ts";
import { FaceMissingError } from "../export/face_missing_error.ts";
import { readHead } from "../export/head.ts";
import type { Platform } from "../read/read_oci.ts";
import type { Sink } from "../streams/sink.ts";
import { fromStream } from "../streams/source.ts";
import { host } from "../system/host.ts";
import { openFlow } from "../system/open_input.ts";
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

/**
 * Opens an archive and takes a face out of it: of the image for --platform, if it
 * is given.
 *
 * @param forHost Whether it is that of the image for this machine, if there are
 * several and --platform is not given.
 * @param place Gives the file that the face goes into, if it is one.
 * @param use What is done with the face; all of its errors name the archive.
 */
export async function withExport(
  path: string,
  parsed: Parsed,
  { face, forHost = false, place }: {
    face: ExportFace;
    forHost?: boolean;
    place?: Place;
  },
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
      return;
    } finally {
      store.close();
    }
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
    const run = async (copies?: BlobCopies) => {
      const exported = await begun(() =>
        exportFace(
          chunks,
          face,
          (chunks) => flow.keep(chunks),
          { drain: flow.size === undefined && !platform, hashBeside, copies },
        )
      ).catch(async (error) => {
        const isFile = path !== "-" && host.fileIdentity(path) !== undefined;
        if (!(error instanceof FaceMissingError) || !isFile) {
          throw ofFile(name, error);
        }
        return await exportAnew(path, parsed, { face, forHost }, store);
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
