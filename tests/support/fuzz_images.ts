// Run by scripts/fuzz-images: fuzz_images.ts MINUTES [SEED].

import { DescriptionError } from "../../lib/errors/description_error.ts";
import { FileError } from "../../lib/errors/file_error.ts";
import { InputError } from "../../lib/errors/input_error.ts";
import { build, convert, exportFace } from "../../lib/mod.ts";
import { concat, utf8 } from "../../lib/streams/bytes.ts";
import { sha256 } from "../../lib/streams/sha256.ts";
import { countTime } from "./processor_time.ts";
import { seededRandom } from "./random.ts";
import { tarOf } from "./tar_writer.ts";

/** What a run of {@linkcode fuzzImages} came to. */
export interface ImageFuzzResult {
  /** How many images were tried, and how many of each kind. */
  tried: number;
  kinds: Map<string, number>;
  /** How many became an isoc; the others were refused. */
  accepted: number;
  /** What went wrong, if anything, and the image that did it. */
  failure?: { reason: string; input: Uint8Array };
}

type Random = (below: number) => number;

/** An entry of a tar as it is there, in blocks. */
interface Member {
  name: string;
  header: Uint8Array;
  data: Uint8Array;
}

/**
 * Feeds ciso with images (docker save, OCI, isoc, ACI, Docker v1) whose bytes,
 * entries and documents were changed. Each must be refused with a message for
 * users, or become an isoc that says of itself what it is: the same image again
 * when it is converted, and all of its faces can be taken out.
 *
 * @param seed Decides all that is random.
 * @param seconds How long to go on.
 */
export async function fuzzImages(
  seed: number,
  seconds: number,
): Promise<ImageFuzzResult> {
  const images = await realImages();
  const random = seededRandom(seed);
  const result: ImageFuzzResult = { tried: 0, kinds: new Map(), accepted: 0 };
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && !result.failure) {
    const [kind, members] = images[random(images.length)]!;
    const input = mutate(members, random);
    result.tried++;
    result.kinds.set(kind, (result.kinds.get(kind) ?? 0) + 1);
    const tooLong = countTime();
    const reason = await trial(input, result) ?? tooLong();
    if (reason) result.failure = { reason: `${kind}: ${reason}`, input };
  }
  return result;
}

/** Converts an image; says what is wrong with that, if anything. */
async function trial(
  input: Uint8Array,
  result: ImageFuzzResult,
): Promise<string | undefined> {
  const description = { names: ["isoc/fuzz"], created: 0 };
  const options = { description, maxUnpacked: 1 << 24 };
  let archive: Blob;
  let imageId: string;
  try {
    const isoc = await convert(blobOf(input), options);
    archive = await new Response(isoc.stream()).blob();
    if (archive.size !== isoc.size) return "another size than announced";
    imageId = isoc.imageId;
    isoc.close();
  } catch (error) {
    return complaint(error);
  }
  result.accepted++;
  // What ciso has made itself, it takes.
  try {
    const again = await convert(archive, options);
    again.close();
    if (again.imageId !== imageId) return "converted again, another image";
    for (const face of ["docker", "oci", "rootfs", "bundle"] as const) {
      const stream = await exportFace(archive, face);
      await stream.pipeTo(new WritableStream());
    }
  } catch (error) {
    return `its own isoc: ${(error as Error).stack}`;
  }
  return undefined;
}

/** What is wrong with a refusal: it must be one of ciso's own, in plain words. */
function complaint(error: unknown): string | undefined {
  const isOwn = error instanceof InputError || error instanceof FileError ||
    error instanceof DescriptionError;
  if (!isOwn) return `no refusal but ${(error as Error)?.stack ?? error}`;
  const { message } = error;
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(message)) {
    return `control characters in ${JSON.stringify(message)}`;
  }
  if (
    /undefined|\[object|NaN|is not a function|Cannot read prop/.test(message)
  ) {
    return `internal words in ${message}`;
  }
  if (message.length > 2000) return `${message.length} characters`;
  return undefined;
}

function blobOf(bytes: Uint8Array): Blob {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]);
}

/** One small image in each form that ciso reads, as its tar's members. */
async function realImages(): Promise<[kind: string, members: Member[]][]> {
  const rootfs = tarOf([
    { name: "./", type: "5", mode: 0o755 },
    { name: "bin/", type: "5", mode: 0o755 },
    { name: "bin/sh", data: "#!/bin/sh\n", mode: 0o755 },
    { name: "bin/ash", type: "1", link: "bin/sh" },
    { name: "etc", type: "2", link: "usr/etc" },
  ]);
  const isoc = await build(blobOf(rootfs), {
    names: ["isoc/fuzz:1.0"],
    command: ["/bin/sh", "-c", "true"],
    env: ["A=1"],
    labels: { a: "b" },
    exposedPorts: ["80/tcp"],
    volumes: ["/data"],
    user: "1:2",
    workdir: "/bin",
    created: 0,
  });
  const archive = await new Response(isoc.stream()).blob();
  const bytes = async (stream: ReadableStream<Uint8Array>) =>
    new Uint8Array(await new Response(stream).arrayBuffer());
  const images: [string, Member[]][] = [
    ["isoc", membersOf(await bytes(archive.stream()))],
  ];
  for (const face of ["docker", "oci", "appc", "docker-v1"] as const) {
    images.push([
      face,
      membersOf(await bytes(await exportFace(archive, face))),
    ]);
  }
  return images;
}

/** Takes a tar of small ustar entries apart. */
function membersOf(tar: Uint8Array): Member[] {
  const text = new TextDecoder();
  const field = (at: number, length: number) =>
    text.decode(tar.subarray(at, at + length)).replace(/\0[^]*$/, "");
  const members: Member[] = [];
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const size = parseInt(field(at + 124, 12), 8) || 0;
    const next = at + 512 + Math.ceil(size / 512) * 512;
    members.push({
      name: field(at, 100),
      header: tar.slice(at, at + 512),
      data: tar.slice(at + 512, at + 512 + size),
    });
    at = next;
  }
  return members;
}

/** A changed image: a few changes of its documents, entries or bytes. */
function mutate(members: Member[], random: Random): Uint8Array {
  let changed = members.map((member) => ({ ...member }));
  for (let i = 1 + random(3); i > 0; i--) {
    const kind = random(10);
    if (kind < 6) changed = changeDocument(changed, random);
    else if (kind < 9) changed = changeMembers(changed, random);
  }
  const tar = concat([
    ...changed.map(written),
    new Uint8Array(random(12) === 0 ? 512 * random(2) : 1024),
  ]);
  if (random(8) === 0) {
    for (let i = 1 + random(4); i > 0; i--) {
      tar[random(tar.length)] = random(256);
    }
  }
  return random(20) === 0 ? tar.slice(0, random(tar.length)) : tar;
}

/** A member's blocks, its header's size and checksum made right. */
function written({ name, header, data }: Member): Uint8Array {
  const block = header.slice();
  block.fill(0, 0, 100);
  block.set(utf8(name).subarray(0, 100));
  block.set(utf8(`${data.length.toString(8).padStart(11, "0")}\0`), 124);
  block.fill(32, 148, 156);
  const sum = block.reduce((sum, byte) => sum + byte, 0);
  block.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  const padding = (512 - data.length % 512) % 512;
  return concat([block, data, new Uint8Array(padding)]);
}

function changeMembers(members: Member[], random: Random): Member[] {
  if (members.length === 0) return members;
  const at = random(members.length);
  const member = members[at]!;
  switch (random(8)) {
    case 0:
      return members.filter((_, i) => i !== at);
    case 1:
      return [...members, { ...member }];
    case 2:
      return [member, ...members.filter((_, i) => i !== at)];
    case 3:
      member.name = NAMES[random(NAMES.length)]!;
      return members;
    case 4:
      member.header = member.header.slice();
      member.header[156] = 0x30 + random(8);
      return members;
    case 5:
      member.data = member.data.slice(0, random(member.data.length + 1));
      return members;
    case 6:
      member.data = members[random(members.length)]!.data;
      return members;
    default:
      member.header = member.header.slice();
      member.header.set(utf8(NAMES[random(NAMES.length)]!), 157);
      return members;
  }
}

const NAMES = [
  "manifest.json",
  "index.json",
  "oci-layout",
  "repositories",
  "manifest",
  "config.json",
  "rootfs",
  "rootfs/",
  "rootfs/a",
  "../x",
  "/",
  "blobs",
  "blobs/sha256/x",
  "layer.tar",
  "__proto__",
  "",
];

/** Changes something in a JSON document; digests follow, most times. */
function changeDocument(members: Member[], random: Random): Member[] {
  const documents = members.filter(({ data }) =>
    data[0] === 0x7b || data[0] === 0x5b
  );
  if (documents.length === 0) return members;
  const member = documents[random(documents.length)]!;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(member.data));
  } catch {
    return members;
  }
  const text = JSON.stringify(changeValue(value, random));
  if (text === undefined) return members;
  const old = digest(member.data);
  member.data = utf8(random(30) === 0 ? text.slice(0, -1) : text);
  if (random(4) === 0) return members;
  renameDigest(members, old, member.data, 0);
  return members;
}

/** Has all documents name a changed one by its new digest and size. */
function renameDigest(
  members: Member[],
  old: string,
  data: Uint8Array,
  depth: number,
): void {
  const now = digest(data);
  if (now === old || depth > 4) return;
  for (const member of members) {
    member.name = member.name.replace(old, now);
    if (member.data.length > 1 << 16) continue;
    const text = new TextDecoder("latin1").decode(member.data);
    if (!text.includes(old) || member.data === data) continue;
    const before = digest(member.data);
    const size = new RegExp(
      `("digest":"sha256:${old}","size":)\\d+|("size":)\\d+(,"digest":"sha256:${old})`,
      "g",
    );
    member.data = utf8(
      text.replace(size, `$1$2${data.length}$3`).replaceAll(old, now),
    );
    renameDigest(members, before, member.data, depth + 1);
  }
}

function digest(bytes: Uint8Array): string {
  const hash = sha256();
  hash.update(bytes);
  return hash.hex();
}

/** A value with one place of it changed. */
function changeValue(value: unknown, random: Random): unknown {
  const isParent = typeof value === "object" && value !== null;
  const keys = isParent ? Object.keys(value) : [];
  if (keys.length === 0 || random(6) === 0) return oddValue(value, random);
  const key = keys[random(keys.length)]!;
  const copy =
    (Array.isArray(value) ? [...value] : { ...value as object }) as Record<
      string,
      unknown
    >;
  switch (random(8)) {
    case 0:
      if (Array.isArray(copy)) copy.splice(Number(key), 1);
      else delete copy[key];
      return copy;
    case 1:
      if (Array.isArray(copy)) copy.push(copy[Number(key)]);
      else copy[KEYS[random(KEYS.length)]!] = copy[key];
      return copy;
    default:
      copy[key] = changeValue(copy[key], random);
      return copy;
  }
}

const KEYS = [
  "constructor",
  "toString",
  "Config",
  "Layers",
  "digest",
  "",
  "\u001b[31m",
];

function oddValue(value: unknown, random: Random): unknown {
  const odd: unknown[] = [
    null,
    true,
    0,
    -1,
    1.5,
    1e300,
    2 ** 53,
    "",
    "x",
    "\u0000",
    "\u001b[31m\u202e",
    "sha256:" + "0".repeat(64),
    "../../etc/passwd",
    "/",
    "a".repeat(5000),
    [],
    {},
    [null],
    [[]],
    [value],
    { "": value },
    { a: 1 },
    nested(2000),
    "1970-01-01T00:00:00Z",
    "linux",
    ["A", "=", "=B", "C=\u0000"],
  ];
  return odd[random(odd.length)];
}

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

if (import.meta.main) {
  const [minutes = "1", seed = String(Date.now() % 2 ** 31)] = Deno.args;
  const { tried, kinds, accepted, failure } = await fuzzImages(
    Number(seed),
    Number(minutes) * 60,
  );
  const each = [...kinds].map(([kind, count]) => `${kind} ${count}`).join(", ");
  console.log(
    `seed ${seed}: ${tried} images tried (${each}), ${accepted} taken`,
  );
  if (failure) {
    const path = await Deno.makeTempFile({
      prefix: "isoc-fuzz-",
      suffix: ".tar",
    });
    await Deno.writeFile(path, failure.input);
    console.log(`failed: ${failure.reason}\nthe image is ${path}`);
    Deno.exit(1);
  }
}
