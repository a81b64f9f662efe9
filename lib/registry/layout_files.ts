import { InputError } from "../errors/input_error.ts";
import { jsonText, parseJson } from "../formats/json_text.ts";
import { parseName } from "../image/name.ts";
import type { FileSource } from "../read/image_files.ts";
import { blobPath, REF_NAME } from "../read/read_oci.ts";
import { anyObject, list, object, optional, Place } from "../read/shape.ts";
import { utf8 } from "../streams/bytes.ts";
import { digestChecked } from "../streams/digest_checked.ts";
import type { LentFile } from "../streams/write_checked.ts";
import { fromStream, type HashBeside, release } from "../streams/source.ts";
import type { ImageParts } from "./copy_image.ts";
import { MEDIA } from "./manifest.ts";

/** A file of an OCI image layout that is written. */
export interface LayoutFile extends LentFile {
  /** Its bytes; they fail at their end if they have another digest. */
  read(): AsyncGenerator<Uint8Array>;
}

/** The index of a layout, as far as it is read here. */
const INDEX = object({ manifests: optional(list(anyObject)) });

/**
 * Lists the files of an OCI image layout that has an image: the blobs, and last
 * the index, which makes them count.
 *
 * OCI image-spec v1.1, "Image Layout".
 *
 * @param parts The image.
 * @param tag The image's tag there; the names that it has unless given.
 * @param before The index of a layout that gets the image as well.
 * @throws {InputError} If that index is malformed.
 */
export function layoutFiles(
  { top, documents, blobs, names }: ImageParts,
  tag: string | undefined,
  before?: string,
): LayoutFile[] {
  const given = tag === undefined ? names.map(annotationsOf) : [
    { [REF_NAME]: tag },
  ];
  const mine = (given.length > 0 ? given : [undefined]).map((annotations) => ({
    mediaType: top.mediaType,
    digest: top.digest,
    size: top.bytes.length,
    ...(annotations && { annotations }),
  }));
  const others = (before === undefined ? [] : listOf(before)).filter((one) =>
    !mine.some((own) => isReplaced(one, own))
  );
  const index = jsonText({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [...others, ...mine],
  });
  return [
    ...[...blobs].map(([digest, source]) => blobFile(digest, source)),
    ...[...documents, top].map(({ digest, bytes }) =>
      fileOf(blobPath(digest.slice("sha256:".length)), bytes)
    ),
    fileOf("oci-layout", utf8(jsonText({ imageLayoutVersion: "1.0.0" }))),
    fileOf("index.json", utf8(index)),
  ];
}

/** A name as ciso's own archives have it. */
function annotationsOf(name: string): Record<string, string> {
  const { qualified, tag } = parseName(name);
  return { "io.containerd.image.name": qualified, [REF_NAME]: tag };
}

function listOf(index: string) {
  const name = "index.json";
  const document = parseJson(name, index);
  return INDEX(document, new Place(name)).manifests ?? [];
}

/** Whether an image gives way to one that has its name now, or is the same. */
function isReplaced(
  one: Record<string, unknown>,
  own: { digest: string; annotations?: Record<string, string> },
): boolean {
  const { annotations } = one;
  const has = new Map(Object.entries(Object(annotations)));
  const name = has.get(REF_NAME);
  if (!own.annotations) return one.digest === own.digest && name === undefined;
  const whole = has.get("io.containerd.image.name");
  return name === own.annotations[REF_NAME] &&
    whole === own.annotations["io.containerd.image.name"];
}

function fileOf(path: string, bytes: Uint8Array): LayoutFile {
  async function* read() {
    // Whoever writes it may take the memory away.
    yield await Promise.resolve(bytes.slice());
  }
  return { path, size: bytes.length, read, lent: read };
}

function blobFile(digest: string, source: FileSource): LayoutFile {
  const hex = digest.slice("sha256:".length);
  const path = blobPath(hex);
  const read = (hash?: Pick<HashBeside, "hex">) => {
    const bytes = fromStream(source.stream());
    // What comes from a registry is checked while it comes.
    return source.checked === hex ? bytes : digestChecked(
      bytes,
      hex,
      () => new InputError(`${path} is damaged: it has another digest`),
      hash,
    );
  };
  return {
    path,
    size: source.size,
    read: () => read(),
    lent: (hash) =>
      source.checked === hex && source.lent
        ? source.lent(hash)
        : lent(read(hash)),
  };
}

/** Lends chunks, and takes their memory back. */
async function* lent(
  chunks: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    release(chunk);
  }
}
