import {
  archiveOf,
  isHeader,
  mutate,
  readByOthers,
  realTars,
  repaired,
} from "./fuzz.ts";
import { seededRandom } from "./random.ts";
import { verify } from "./verify.ts";

/** What a run of {@linkcode fuzzVerify} came to. */
export interface FuzzVerifyResult {
  /** How many changed isocs were tried. */
  tried: number;
  /** In how many of them verify found nothing. */
  clean: number;
  /** What went wrong, if anything: a sentence, and the isoc that did it. */
  failure?: undefined | { reason: string; input: Uint8Array };
}

/** How many isocs the other readers get at once. */
const BATCH = 100;

/**
 * Flips and splices bytes of isocs. Verify must find something, or GNU tar, Go
 * and Python must all still read below rootfs/ what they read in the layer.
 *
 * @param seed Decides all that is random.
 * @param seconds How long to go on.
 */
export async function fuzzVerify(
  seed: number,
  seconds: number,
): Promise<FuzzVerifyResult> {
  const folder = await Deno.makeTempDir({ prefix: "isoc-fuzz-verify-" });
  try {
    const isocs: Uint8Array[] = [];
    for (const tar of await realTars(folder)) isocs.push(await archiveOf(tar));
    const random = seededRandom(seed);
    const result: FuzzVerifyResult = { tried: 0, clean: 0 };
    const end = performance.now() + seconds * 1000;
    let batch: Uint8Array[] = [];
    while (performance.now() < end && !result.failure) {
      // Wild changes are found at once; small ones may mean nothing, or a little.
      const input = random(3) === 0
        ? mutate(isocs, random)
        : nudge(isocs[random(isocs.length)]!.slice(), random);
      result.tried++;
      try {
        if (!await isClean(input)) continue;
      } catch (error) {
        const { name, message, stack } = error as Error;
        if (name === "InputError") continue;
        const reason = `${name}: ${message}\n${stack}`;
        result.failure = { reason, input };
        break;
      }
      result.clean++;
      await Deno.writeFile(`${folder}/${batch.length}.isoc`, input);
      batch.push(input);
      if (batch.length < BATCH) continue;
      result.failure = await readByOthers(folder, batch);
      batch = [];
    }
    if (batch.length > 0) result.failure ??= await readByOthers(folder, batch);
    return result;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Changes a few bytes of one header block, and makes its checksum right. */
function nudge(
  isoc: Uint8Array,
  random: (below: number) => number,
): Uint8Array {
  let block = 0;
  for (let i = 0; i < 200 && !(i > 0 && isHeader(isoc, block)); i++) {
    block = random(Math.floor(isoc.length / 512)) * 512;
  }
  for (let i = random(3); i >= 0; i--) {
    // Fields of ustar that readers differ in come more often.
    const at = random(2) ? random(512) : 257 + random(255);
    const values = [0, 0x20, 0x30 + random(10), random(256)];
    isoc[block + at] = values[random(values.length)]!;
  }
  return random(5) ? repaired(isoc, block) : isoc;
}

async function isClean(isoc: Uint8Array): Promise<boolean> {
  const { findings } = await verify(isoc);
  return findings.every(({ severity }) => severity === "note");
}

if (import.meta.main) {
  const [minutes = NaN, seed = Date.now() % 1e9] = Deno.args.map(Number);
  console.log(`seed ${seed}`);
  const { tried, clean, failure } = await fuzzVerify(seed, minutes * 60);
  console.log(`${tried} isocs tried, ${clean} clean, ${tried - clean} not`);
  if (failure) {
    const path = `fuzz-verify-${seed}.isoc`;
    await Deno.writeFile(path, failure.input);
    console.error(`${failure.reason}\nThe isoc is in ${path}.`);
    Deno.exit(1);
  }
}
