// Directories that others may replace, with real ones.

import assert from "node:assert/strict";
import { files } from "../../lib/directory/files.ts";
import { Place } from "../../lib/directory/listing.ts";
import { listLive } from "../../lib/directory/live_listing.ts";
import { OpenListing } from "../../lib/directory/open_listing.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { temporary } from "../support/ciso.ts";

const ignore = Deno.build.os !== "linux";
const text = new TextDecoder();

/** A directory below a root, as a walk comes to it. */
function directoryIn(root: string, path: string, isGuarded: boolean) {
  const place = placeOf(root, "", path);
  return { place, facts: files.facts(place.full), isGuarded };
}

const placeOf = (root: string, directory: string, name: string) =>
  new Place(utf8(`${root}/`), utf8(directory), utf8(name));

Deno.test({
  name: "an open directory holds what it holds by its path",
  ignore,
  async fn() {
    await using folder = await temporary();
    const root = folder.path;
    await Deno.mkdir(`${root}/d/below`, { recursive: true });
    await Deno.writeTextFile(`${root}/d/é`, "text");
    await Deno.writeTextFile(`${root}/d/below/x`, "");
    await Deno.symlink("nowhere", `${root}/d/a`);
    const found = [true, false].map((isGuarded) => {
      const listing = listLive(root, directoryIn(root, "d", isGuarded));
      assert.equal(listing instanceof OpenListing, !isGuarded);
      return Array.from({ length: listing.length }, (_, i) => {
        const name = text.decode(listing.name(i));
        const place = placeOf(root, "d", name);
        const facts = listing.facts(i, place);
        const target = facts.kind === "symlink" && listing.target(i, place);
        const inside = facts.kind === "directory" &&
          listing.enter(i, { place, facts, isGuarded }).length;
        return { name, facts, target, inside };
      });
    });
    assert.deepEqual(found[1], found[0]);
    assert.deepEqual(found[0]!.map(({ name }) => name), ["a", "below", "é"]);
    assert.equal(found[0]![1]!.inside, 1);
  },
});

Deno.test({
  name: "a directory that takes another one's place is not listed",
  ignore,
  async fn() {
    await using folder = await temporary();
    const root = folder.path;
    await Deno.mkdir(`${root}/d`);
    await Deno.mkdir(`${root}/other`);
    await Deno.writeTextFile(`${root}/other/secret`, "");
    const changed = /"d" in .* changed while it was read/;
    const list = () => {
      const directory = directoryIn(root, "d", false);
      Deno.renameSync(`${root}/d`, `${root}/kept`);
      return directory;
    };
    const first = list();
    await Deno.rename(`${root}/other`, `${root}/d`);
    assert.throws(() => listLive(root, first), changed);
    // No symlink is followed there.
    await Deno.rename(`${root}/d`, `${root}/other`);
    await Deno.rename(`${root}/kept`, `${root}/d`);
    const second = list();
    await Deno.symlink("other", `${root}/d`);
    assert.throws(() => listLive(root, second), { code: "ENOTDIR" });
  },
});

Deno.test({
  name: "all that an open directory holds is read at once",
  ignore,
  async fn() {
    await using folder = await temporary();
    const root = folder.path;
    await Deno.mkdir(`${root}/d`);
    await Deno.writeTextFile(`${root}/d/x`, "");
    const listing = new OpenListing(
      root,
      directoryIn(root, "d", false),
      listLive,
    );
    await Deno.remove(`${root}/d/x`);
    assert.equal(listing.facts(0).kind, "file");
  },
});
