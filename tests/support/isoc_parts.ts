import { build, type BuildOptions } from "../../lib/build/build.ts";
import type { ImageDescription } from "../../lib/rootfs/facts.ts";
import { binary, concat, utf8 } from "../../lib/streams/bytes.ts";
import { toBytes } from "@std/streams";
import { sha256 } from "../../lib/streams/sha256.ts";
import { FIELD, putChecksum, putNumber, putText } from "../../lib/tar/block.ts";
import { entriesOf } from "../../lib/tar/entries.ts";
import { entryOf, type TarEntry, tarOf } from "./tar_writer.ts";

/** One entry of an archive, to be changed. */
export interface Part {
  path: string;
  /** Header blocks; the last one is the entry's own. */
  header: Uint8Array;
  data: Uint8Array;
}

/** Files of a small rootfs. */
export const TREE: TarEntry[] = [
  { name: "./", type: "5", mode: 0o755 },
  { name: "./bin/", type: "5", mode: 0o755 },
  { name: "./bin/sh", mode: 0o755, data: "#! a shell".repeat(100) },
  { name: "./bin/ash", type: "1", link: "./bin/sh", mode: 0o755 },
  { name: "./bin/bash", type: "2", link: "sh", mode: 0o777 },
  { name: "./etc/", type: "5", mode: 0o755 },
  { name: "./etc/issue", data: "hello\n" },
  { name: "./etc/passwd", data: "root:x:0:0:root:/:/bin/sh\n" },
];

/** Makes an isoc of a tar, whole. */
export async function isocOf(
  tar: Uint8Array = tarOf(TREE),
  description: Partial<ImageDescription> = {},
  options: BuildOptions = {},
): Promise<Uint8Array> {
  const isoc = await build(new Blob([tar as Uint8Array<ArrayBuffer>]), {
    names: ["isoc/hello:1.0"],
    command: ["/bin/sh", "-c", "true"],
    created: 1433851200,
    ...description,
  }, options);
  return await toBytes(isoc.stream());
}

/** Takes an archive apart. */
export async function partsOf(archive: Uint8Array): Promise<Part[]> {
  const parts: Part[] = [];
  const stream = new Blob([archive as Uint8Array<ArrayBuffer>]).stream();
  for await (const { entry, place } of entriesOf(stream)) {
    const data = place + entry.end - entry.start;
    parts.push({
      path: binary(entry.path),
      header: archive.slice(place, data),
      data: archive.slice(data, data + entry.stored),
    });
  }
  return parts;
}

/** Puts an archive together. */
export function joined(
  parts: Part[],
  end: Uint8Array = new Uint8Array(1024),
): Uint8Array {
  return concat([
    ...parts.flatMap(({ header, data }) => [
      header,
      data,
      new Uint8Array((512 - data.length % 512) % 512),
    ]),
    end,
  ]);
}

/** The part with a path. */
export function part(parts: Part[], path: string): Part {
  const found = parts.find((part) => part.path === path);
  if (!found) throw new Error(`There is no ${path}`);
  return found;
}

/** A new part. */
export function newPart(entry: TarEntry): Part {
  const bytes = entryOf(entry);
  const size = entry.data?.length ?? 0;
  const end = bytes.length - Math.ceil(size / 512) * 512;
  return {
    path: entry.name,
    header: bytes.slice(0, end),
    data: bytes.slice(end, end + size),
  };
}

/** Changes the own header block of a part, and makes its checksum right. */
export function patchHeader(
  { header }: Part,
  change: (block: Uint8Array) => void,
): void {
  const block = header.subarray(header.length - 512);
  change(block);
  putChecksum(block);
}

/** Gives a part other data. */
export function setData(part: Part, data: Uint8Array): void {
  part.data = data;
  patchHeader(part, (block) => putNumber(block, FIELD.size, data.length));
}

/** Gives a part another path. */
export function setPath(part: Part, path: string): void {
  part.path = path;
  patchHeader(part, (block) => putText(block, FIELD.name, utf8(path)));
}

/** Gives a link another target. */
export function setLink(part: Part, link: string): void {
  patchHeader(part, (block) => putText(block, FIELD.link, utf8(link)));
}

/** SHA-256 in hex. */
export function hexOf(data: Uint8Array): string {
  const hash = sha256();
  hash.update(data);
  return hash.hex();
}

/** Changes a document as JSON; blobs that are renamed by it are renamed. */
export function editJson(
  parts: Part[],
  path: string,
  // deno-lint-ignore no-explicit-any
  change: (document: any) => unknown,
): void {
  const file = part(parts, path);
  const document = JSON.parse(new TextDecoder().decode(file.data));
  const changed = change(document) ?? document;
  replaceFile(parts, path, utf8(JSON.stringify(changed)));
}

/** Replaces a file; a blob gets its new name, wherever it is named. */
export function replaceFile(
  parts: Part[],
  path: string,
  data: Uint8Array,
): void {
  const file = part(parts, path);
  const [, old] = /^blobs\/sha256\/(.{64})$/.exec(path) ?? [];
  const oldSize = file.data.length;
  setData(file, data);
  if (old === undefined) return;
  const digest = hexOf(data);
  setPath(file, `blobs/sha256/${digest}`);
  for (const other of [...parts]) {
    const link = binary(other.header.subarray(-355, -255)).replace(
      /\0.*$/s,
      "",
    );
    if (link.includes(old)) setLink(other, link.replace(old, digest));
    if (other.data.length > 1 << 16 || other === file) continue;
    const text = new TextDecoder().decode(other.data);
    if (!text.includes(old) || text[0] !== "{" && text[0] !== "[") continue;
    const document = JSON.parse(
      text.replaceAll(old, digest),
      (_key, value) =>
        value?.digest === `sha256:${digest}` && value.size === oldSize
          ? { ...value, size: data.length }
          : value,
    );
    replaceFile(parts, other.path, utf8(JSON.stringify(document)));
  }
}

/** Paths of the blobs of an isoc with one layer, by what they are. */
export function blobsOf(parts: Part[]) {
  const read = (path: string) =>
    JSON.parse(new TextDecoder().decode(part(parts, path).data));
  const [index] = read("index.json").manifests;
  const manifest = `blobs/sha256/${index.digest.slice(7)}`;
  const { config, layers } = read(manifest);
  return {
    manifest,
    config: `blobs/sha256/${config.digest.slice(7)}`,
    layer: `blobs/sha256/${layers[0].digest.slice(7)}`,
  };
}
