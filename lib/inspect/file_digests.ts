import { InputError } from "../errors/input_error.ts";
import type { SbomFile } from "../packages/sbom_subject.ts";
import type { PackageList } from "../packages/package.ts";
import { utf8 } from "../streams/bytes.ts";
import { sha1, sha256 } from "../streams/sha256.ts";
import { SparseExpander } from "../tar/sparse.ts";
import type { ImageTree } from "./layer_tars.ts";
import { expanded, nodeAtLinks } from "./package_sink.ts";
import { type DataSink, walkTar } from "./walk_tar.ts";

/**
 * The digests of all files of an image's tree, each with the package that it
 * belongs to. Reads the layers once more.
 *
 * @param list The packages, with their files.
 * @param maxUnpacked Bytes that all files may have, holes included.
 * @throws {InputError} If they have more.
 */
export async function fileDigests(
  { layered: { tree, layers }, layered, tars }: ImageTree,
  list: PackageList,
  maxUnpacked: number,
): Promise<SbomFile[]> {
  const owners = ownersOf(layered, list);
  /** Nodes by where their entries are, of each layer. */
  const wanted = layers.map(() => new Map<number, number>());
  let left = maxUnpacked;
  for (let node = 1; node < tree.length; node++) {
    if (tree.type(node) !== "file") continue;
    const { layer, place } = tree.origin(node);
    wanted[layer]!.set(place, node);
    left -= tree.size(node);
  }
  if (left < 0) {
    throw new InputError(
      `Its files have more than ${maxUnpacked} bytes in all: raise ` +
        "--max-unpacked, or leave out --sbom-files",
    );
  }
  const files: SbomFile[] = [];
  const decoder = new TextDecoder();
  for (const [i, { tar }] of tars.entries()) {
    const nodes = wanted[i]!;
    if (!tar || nodes.size === 0) continue;
    await walkTar(tar, ({ entry, place }) => {
      const node = nodes.get(place);
      if (node === undefined || entry.kind !== "file") return undefined;
      const owner = owners.get(node);
      const sink = hashing((digests) =>
        files.push({
          path: decoder.decode(tree.path(node)),
          ...digests,
          ...(owner !== undefined && { owner }),
        })
      );
      if (entry.sparse) {
        return expanded(sink, new SparseExpander(entry.sparse), entry.size);
      }
      if (entry.stored > 0) return sink;
      sink.onEnd();
      return undefined;
    });
  }
  return files.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

/** The package of each file that packages say they have. */
function ownersOf(
  layered: ImageTree["layered"],
  { packages }: PackageList,
): Map<number, string> {
  const owners = new Map<number, string>();
  for (const { files = [], purl } of packages) {
    for (const path of files) {
      const node = nodeAtLinks(layered, utf8(path));
      if (node !== undefined && !owners.has(node)) owners.set(node, purl);
    }
  }
  return owners;
}

function hashing(
  end: (digests: { sha1: string; sha256: string }) => void,
): Required<DataSink> {
  const [one, two] = [sha1(), sha256()];
  return {
    onData(bytes) {
      one.update(bytes);
      two.update(bytes);
    },
    onEnd: () => end({ sha1: one.hex(), sha256: two.hex() }),
  };
}
