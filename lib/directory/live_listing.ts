import { compareBytes } from "../streams/bytes.ts";
import type { FileFacts } from "./file_facts.ts";
import { files } from "./files.ts";
import type { Directory, Listing, Place } from "./listing.ts";
import { OpenListing } from "./open_listing.ts";

/**
 * Lists a directory by the runtime's own calls.
 *
 * @param root The tree's root, as messages call it.
 */
export function listLive(root: string, directory: Directory): Listing {
  return directory.isGuarded || !OpenListing.isPossible
    ? new LiveListing(root, directory)
    : new OpenListing(root, directory, listLive);
}

/** A directory that nobody else can replace: its files are found by their paths. */
class LiveListing implements Listing {
  readonly #root: string;
  readonly #names: Uint8Array[];

  constructor(root: string, { place }: Directory) {
    this.#root = root;
    this.#names = files.namesIn(place.full).sort(compareBytes);
  }

  get length(): number {
    return this.#names.length;
  }

  name(index: number): Uint8Array {
    return this.#names[index]!;
  }

  facts(_index: number, { full }: Place): FileFacts {
    return files.facts(full);
  }

  target(_index: number, { full }: Place): Uint8Array {
    return files.target(full);
  }

  enter(_index: number, directory: Directory): Listing {
    return listLive(this.#root, directory);
  }

  check(): void {}
}
