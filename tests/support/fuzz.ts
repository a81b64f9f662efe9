import { InputError } from "../../lib/errors/input_error.ts";
import { build } from "../../lib/build/build.ts";
import { ascii, concat } from "../../lib/streams/bytes.ts";
import { countTime } from "./processor_time.ts";
import { seededRandom } from "./random.ts";
import { run } from "./run.ts";
import { entryOf, paxHeader } from "./tar_writer.ts";
import { appcRender } from "./tree.ts";

/** What a run of {@linkcode fuzz} came to. */
export interface FuzzResult {
  /** How many inputs were tried. */
  tried: number;
  /** How many of them became archives; the others were refused. */
  accepted: number;
  /** What went wrong, if anything: a sentence, and the input that did it. */
  failure?: undefined | { reason: string; input: Uint8Array };
}

/** How many archives the other readers get at once. */
const BATCH = 150;

/** Formats that GNU tar writes, with the options for them. */
const FORMATS = [
  ["--format=v7"],
  ["--format=oldgnu", "--sparse"],
  ["--format=ustar"],
  ["--format=gnu", "--sparse"],
  ["--format=pax", "--xattrs"],
  ["--format=pax", "--sparse", "--sparse-version=0.0"],
  ["--format=pax", "--sparse", "--sparse-version=0.1"],
  ["--format=pax", "--sparse", "--sparse-version=1.0"],
];

/**
 * Feeds ciso with real tars that have been flipped, cut and spliced. Each one
 * must be refused with a message for users, or become an archive that Python,
 * GNU tar and Go read, with the same tree in its layer as below rootfs/.
 *
 * @param seed Decides all that is random.
 * @param seconds How long to go on.
 */
export async function fuzz(
  seed: number,
  seconds: number,
): Promise<FuzzResult> {
  const folder = await Deno.makeTempDir({ prefix: "isoc-fuzz-" });
  try {
    const tars = await realTars(folder);
    const random = seededRandom(seed);
    const result: FuzzResult = { tried: 0, accepted: 0 };
    const end = performance.now() + seconds * 1000;
    let batch: Uint8Array[] = [];
    while (performance.now() < end && !result.failure) {
      const input = mutate(tars, random);
      result.tried++;
      const tooLong = countTime();
      try {
        const archive = await archiveOf(input);
        result.accepted++;
        await Deno.writeFile(`${folder}/${batch.length}.isoc`, archive);
        batch.push(input);
      } catch (error) {
        const reason = complaint(error);
        if (reason) result.failure = { reason, input };
      }
      const reason = tooLong();
      if (reason) result.failure = { reason, input };
      if (batch.length === BATCH) {
        result.failure ??= await readByOthers(folder, batch);
        batch = [];
      }
    }
    if (batch.length > 0) result.failure ??= await readByOthers(folder, batch);
    return result;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Tars of a tree with odd metadata, by several programs. */
export async function realTars(folder: string): Promise<Uint8Array[]> {
  const tree = `${folder}/tree`;
  await run("python3", [`${import.meta.dirname}/odd_tree.py`, tree]);
  const tars: Uint8Array[] = [];
  const add = async (line: string) => {
    await run("bash", [
      "-c",
      `cd "$1" && ${line} 2>/dev/null || true`,
      "",
      tree,
    ]);
    // Small ones, so that a mutation hits something.
    const tar = await Deno.readFile(`${folder}/out.tar`);
    if (tar.length < 400_000) tars.push(tar);
  };
  const some = "--exclude=numbers --exclude='etc/strange'";
  for (const options of FORMATS) {
    await add(`tar -cf ../out.tar ${some} ${options.join(" ")} .`);
  }
  await add(`bsdtar -cf ../out.tar ${some} .`);
  await add(
    'python3 -c \'import tarfile; t = tarfile.open("../out.tar", "w"); ' +
      't.add(".", filter=lambda i: None if "numbers" in i.name else i)\'',
  );
  return tars;
}

/** Builds an archive in memory. */
export async function archiveOf(input: Uint8Array): Promise<Uint8Array> {
  const isoc = await build(new Blob([input as Uint8Array<ArrayBuffer>]), {
    names: ["isoc/fuzz"],
    command: ["/bin/true"],
    created: 0,
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of isoc.stream()) chunks.push(chunk);
  const archive = concat(chunks);
  if (archive.length !== isoc.size) {
    throw new Error(
      `The archive has ${archive.length} bytes, not ${isoc.size}`,
    );
  }
  return archive;
}

/** What is wrong with an error; nothing if it is one that users may see. */
function complaint(error: unknown): string | undefined {
  const { name, message, stack } = error as Error;
  // Mistakes of the tar are of this class; whatever else comes is ours.
  if (
    error instanceof InputError &&
    !/is undefined|of undefined|of null|detached/.test(message)
  ) {
    return undefined;
  }
  return `${name}: ${message}\n${stack}`;
}

/** Reads a batch of archives by three other readers: Python, GNU tar and Go. */
export async function readByOthers(
  folder: string,
  inputs: Uint8Array[],
): Promise<FuzzResult["failure"]> {
  const paths = inputs.map((_, i) => `${folder}/${i}.isoc`);
  const said = [
    await run("python3", [`${import.meta.dirname}/fuzz_readers.py`, ...paths]),
    await run("bash", [
      "-c",
      '"$0" --read "$@" || true',
      await appcRender(),
      ...paths,
    ]),
  ].join("").trim();
  if (said === "") return undefined;
  const [first] = said.split("\n");
  const index = Number(/(\d+)\.isoc:/.exec(first!)?.[1]);
  return { reason: first!, input: inputs[index]! };
}

/** A real tar with up to four changes. */
export function mutate(
  tars: Uint8Array[],
  random: (below: number) => number,
): Uint8Array {
  let tar: Uint8Array = tars[random(tars.length)]!.slice();
  for (let i = random(4); i >= 0; i--) {
    if (tar.length < 1024) break;
    // Header blocks are what matters; every other try looks for one.
    let block = random(Math.floor(tar.length / 512)) * 512;
    for (let j = 0; random(4) > 0 && j < 50 && !isHeader(tar, block); j++) {
      block = random(Math.floor(tar.length / 512)) * 512;
    }
    tar = MUTATIONS[random(MUTATIONS.length)]!(tar, block, tars, random);
  }
  return tar;
}

type Mutation = (
  tar: Uint8Array,
  block: number,
  tars: Uint8Array[],
  random: (below: number) => number,
) => Uint8Array;

/** Offsets of the fields of a header block. */
const FIELDS = [0, 100, 108, 116, 124, 136, 157, 257, 263, 265, 297, 329, 337];
const MORE_FIELDS = [345, 369, 386, 398, 482, 483, 508];
const TYPES = ascii("\x000123456789ADEIKLMNSVXgxZ");

/** Keywords of PAX records that readers act on. */
const KEYWORDS = [
  ...["path", "linkpath", "size", "uid", "gid", "mtime", "uname", "comment"],
  ...["hdrcharset", "SCHILY.xattr.user.x", "SCHILY.realsize", "GNU.sparse.map"],
  ...["major", "minor", "name", "realsize", "size", "numblocks", "offset"]
    .map((key) => `GNU.sparse.${key}`),
  "GNU.sparse.numbytes",
];
/** Values for them, good and bad ones. */
const VALUES = [
  ...["", "0", "1", "5", "512", "1048576", "-1", "1.5", "-0.25", "0,5", "x"],
  ...["./etc/acl", "etc/", "/etc/../x", "\xff", "a\0b", "BINARY", "./lib/x"],
  ...["n".repeat(101), "d/".repeat(100), "8589934592", "1e9", " 1", "+1", "."],
];

const MUTATIONS: Mutation[] = [
  function flipAnyByte(tar, _block, _tars, random) {
    tar[random(tar.length)] = random(256);
    return tar;
  },
  function flipHeaderByte(tar, block, _tars, random) {
    tar[block + random(512)] = random(256);
    return repaired(tar, block);
  },
  function cut(tar, _block, _tars, random) {
    return tar.slice(0, random(tar.length));
  },
  function splice(tar, block, tars, random) {
    const other = tars[random(tars.length)]!;
    const from = random(Math.floor(other.length / 512)) * 512;
    const piece = other.slice(from, from + 512 * (1 + random(8)));
    return concat([tar.slice(0, block), piece, tar.slice(block)]);
  },
  function remove(tar, block, _tars, random) {
    const end = block + 512 * (1 + random(4));
    return concat([tar.slice(0, block), tar.slice(end)]);
  },
  function repeat(tar, block, _tars, random) {
    const piece = tar.slice(block, block + 512 * (1 + random(4)));
    return concat([tar.slice(0, block), piece, tar.slice(block)]);
  },
  function changeSize(tar, block, _tars, random) {
    const values = [0x30 + random(8), 0x80, 0xff, 0x20, 0, 0x39];
    tar[block + 124 + random(12)] = values[random(values.length)]!;
    return repaired(tar, block);
  },
  function changeType(tar, block, _tars, random) {
    tar[block + 156] = TYPES[random(TYPES.length)]!;
    return repaired(tar, block);
  },
  function changeField(tar, block, _tars, random) {
    const fields = random(2) ? FIELDS : MORE_FIELDS;
    const at = block + fields[random(fields.length)]!;
    for (let i = random(12); i >= 0; i--) {
      tar[at + i] = random(4) ? tar[at + i + 1] ?? 0 : random(256);
    }
    return repaired(tar, block);
  },
  function changeData(tar, block, _tars, random) {
    // Digits and commas: PAX records and sparse maps are made of them.
    for (let i = random(8); i >= 0; i--) {
      tar[block + 512 + random(200)] = ascii(
        "0123456789 =\n,\0/.",
      )[random(17)]!;
    }
    return tar;
  },
  function addExtension(tar, block, _tars, random) {
    const records: [string, string][] = [];
    for (let i = random(3); i >= 0; i--) {
      records.push([
        KEYWORDS[random(KEYWORDS.length)]!,
        VALUES[random(VALUES.length)]!,
      ]);
    }
    const value = VALUES[random(VALUES.length)]!;
    const dialect = random(2) ? "gnu" : "ustar";
    const header = [
      () => paxHeader(records),
      () => paxHeader(records, "g"),
      () => entryOf({ name: "L", type: "L", data: `${value}\0`, dialect }),
      () => entryOf({ name: "K", type: "K", data: value, dialect }),
      () => entryOf({ name: value, type: "KLgx12S"[random(7)]!, dialect }),
    ][random(5)]!();
    return concat([tar.slice(0, block), header, tar.slice(block)]);
  },
  function appendAnother(tar, _block, tars, random) {
    const other = tars[random(tars.length)]!;
    return concat([tar.slice(0, tar.length - random(2) * 1024), other]);
  },
];

export function isHeader(tar: Uint8Array, block: number): boolean {
  return tar[block + 257] === 0x75 && tar[block + 258] === 0x73;
}

/** Makes the checksum right again, so that what it guards is reached. */
export function repaired(tar: Uint8Array, block: number): Uint8Array {
  if (block + 512 > tar.length) return tar;
  tar.fill(0x20, block + 148, block + 156);
  let sum = 0;
  for (let i = block; i < block + 512; i++) sum += tar[i]!;
  tar.set(ascii(sum.toString(8).padStart(6, "0") + "\0 "), block + 148);
  return tar;
}

if (import.meta.main) {
  const [minutes = NaN, seed = Date.now() % 1e9] = Deno.args.map(Number);
  console.log(`seed ${seed}`);
  const { tried, accepted, failure } = await fuzz(seed, minutes * 60);
  console.log(
    `${tried} inputs tried, ${accepted} accepted, ${tried - accepted} refused`,
  );
  if (failure) {
    const path = `fuzz-${seed}.tar`;
    await Deno.writeFile(path, failure.input);
    console.error(`${failure.reason}\nThe input is in ${path}.`);
    Deno.exit(1);
  }
}
