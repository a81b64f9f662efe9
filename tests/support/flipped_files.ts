import { FIELD } from "../../lib/tar/block.ts";
import { partsOf } from "./isoc_parts.ts";
import { seededRandom } from "./random.ts";

/** Bytes of a file with one of them changed, and a name that says which. */
export interface Flipped {
  name: string;
  bytes: Uint8Array;
}

/**
 * Copies of an archive that each have one byte changed: in each field of each
 * header, at random places, at the end; and one that is longer and one shorter.
 */
export async function* flippedFiles(
  archive: Uint8Array,
): AsyncGenerator<Flipped> {
  const random = seededRandom(20);
  const flip = (name: string, at: number): Flipped => {
    const bytes = archive.slice();
    bytes[at]! ^= 1 << random(8);
    return { name: `${name}.isoc`, bytes };
  };
  let place = 0;
  for (const [i, { header, data }] of (await partsOf(archive)).entries()) {
    const block = place + header.length - 512;
    for (const [field, [offset, length]] of Object.entries(FIELD)) {
      yield flip(`${i}-${field}`, block + offset + random(length));
    }
    place += header.length + Math.ceil(data.length / 512) * 512;
  }
  for (let i = 0; i < 64; i++) {
    const at = random(archive.length);
    yield flip(`at-${at}-${i}`, at);
  }
  yield flip("last", archive.length - 1);
  yield { name: "longer.isoc", bytes: new Uint8Array([...archive, 0]) };
  yield { name: "shorter.isoc", bytes: archive.slice(0, -512) };
}
