import assert from "node:assert/strict";
import { utf8 } from "../../lib/streams/bytes.ts";
import { FileList, type NewFile } from "../../lib/directory/file_list.ts";

function file(some: Partial<NewFile>): NewFile {
  return {
    kind: "file",
    parent: 0,
    name: utf8("name"),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    seconds: 0,
    nanoseconds: 0,
    major: 0,
    minor: 0,
    stamp: 0,
    ...some,
  };
}

Deno.test("FileList.record() gives what FileList.add() took", () => {
  const list = new FileList();
  const name = (text: string) => ({ name: utf8(text) });
  list.add(file({ kind: "directory", parent: -1, ...name(""), mode: 0o711 }));
  const usr = list.add(file({ kind: "directory", ...name("usr") }));
  const big = list.add(
    file({
      ...name("big"),
      parent: usr,
      mode: 0o4755,
      uid: 2 ** 32 - 2,
      gid: 3000000,
      size: 2 ** 50,
      seconds: -315521755,
      nanoseconds: 999999999,
      stamp: 2 ** 32 - 1,
    }),
  );
  const link = list.add(
    file({ kind: "hardlink", ...name("a"), parent: usr, link: big }),
  );
  const target = new Uint8Array(4095).fill(0xff);
  const symlink = list.add(
    file({ kind: "symlink", ...name("s"), link: target }),
  );
  const device = list.add(
    file({ kind: "block", ...name("d"), major: 4095, minor: 1048575 }),
  );

  assert.equal(list.length, 6);
  assert.deepEqual(list.record(0).path, utf8(""));
  assert.equal(list.record(0).mode, 0o711);
  assert.deepEqual(list.record(big), {
    kind: "file",
    path: utf8("usr/big"),
    mode: 0o4755,
    uid: 2 ** 32 - 2,
    gid: 3000000,
    size: 2 ** 50,
    seconds: -315521755,
    nanoseconds: 999999999,
    major: 0,
    minor: 0,
  });
  assert.equal(list.stamp(big), 2 ** 32 - 1);
  assert.equal(list.kind(link), "hardlink");
  assert.deepEqual(list.record(link).link, utf8("usr/big"));
  assert.deepEqual(list.record(symlink).link, target);
  assert.equal(list.record(device).major, 4095);
  assert.equal(list.record(device).minor, 1048575);
  assert.equal(list.pathLength(big), "usr/big".length);
  // A caller's own bytes before a path are no part of it.
  const before = utf8("/root/");
  for (const [slot, text] of [[big, "usr/big"], [usr, "usr"]] as const) {
    const { path } = list.record(slot, before);
    assert.deepEqual(path.slice(), utf8(text));
    const end = before.length + path.length;
    const full = new Uint8Array(path.buffer).slice(0, end);
    assert.deepEqual(full, utf8(`/root/${text}`));
  }
});

Deno.test("FileList.slotAt() finds the file that an offset falls in", () => {
  const list = new FileList();
  // More than a page of rows, and of names.
  const text = "a name that takes some room on a page, so that more are used";
  for (let i = 0; i < 3000; i++) {
    list.add(file({ parent: i === 0 ? -1 : 0, name: utf8(`${text} ${i}`) }));
    list.setOffset(i, i * 1000);
  }
  assert.equal(list.slotAt(0), 0);
  assert.equal(list.slotAt(999), 0);
  assert.equal(list.slotAt(1000), 1);
  assert.equal(list.slotAt(1499500), 1499);
  assert.equal(list.slotAt(2 ** 40), 2999);
  assert.deepEqual(list.path(2999), utf8(`${text} 2999`));
  assert.deepEqual(list.path(1), utf8(`${text} 1`));
});
