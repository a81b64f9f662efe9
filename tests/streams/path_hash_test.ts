import assert from "node:assert/strict";
import { utf8 } from "../../lib/streams/bytes.ts";
import { PathHash } from "../../lib/streams/path_hash.ts";

const halves = ({ low, high }: PathHash) => [low, high];

Deno.test("PathHash is the same for bytes in pieces, and after mark()", () => {
  const hash = new PathHash();
  const path = utf8("usr/share/doc/x");
  hash.of(path);
  const whole = halves(hash);
  hash.start();
  hash.take(path, 0, 9);
  assert.notDeepEqual(halves(hash), whole);
  hash.mark();
  hash.take(path, 9);
  assert.deepEqual(halves(hash), whole);
  hash.of(utf8("elsewhere"));
  hash.resume();
  hash.take(path, 9);
  assert.deepEqual(halves(hash), whole);
  assert.equal(hash.text("usr/share/doc/x"), whole[0]);
});

Deno.test("PathHash has a key of its own, and tells paths apart", () => {
  const hash = new PathHash();
  const seen = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    hash.of(utf8(`usr/lib/${i}`));
    seen.add(halves(hash).join());
  }
  assert.equal(seen.size, 20_000);
  assert.notEqual(new PathHash().text("usr"), hash.text("usr"));
});
