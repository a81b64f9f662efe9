import assert from "node:assert/strict";
import { fs } from "../../lib/system/node.ts";
import {
  readFile,
  readPipe,
  takeTurn,
  writeFile,
  writePipe,
} from "../../lib/system/fd.ts";
import { run } from "../support/run.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The path of a new file or pipe, in a directory of its own. */
async function newPath() {
  const folder = await Deno.makeTempDir();
  return {
    path: `${folder}/file`,
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Makes a new file, open. */
async function newFile() {
  const { path, [Symbol.asyncDispose]: remove } = await newPath();
  const fd = fs.openSync(path, "w+");
  return {
    path,
    fd,
    async [Symbol.asyncDispose]() {
      fs.closeSync(fd);
      await remove();
    },
  };
}

Deno.test("writeFile() writes after what it has written", async () => {
  await using file = await newFile();
  writeFile(file.fd, encoder.encode("make "));
  writeFile(file.fd, encoder.encode("container"));
  assert.equal(await Deno.readTextFile(file.path), "make container");
});

Deno.test("writeFile() writes at an offset", async () => {
  await using file = await newFile();
  writeFile(file.fd, encoder.encode("container"), 5);
  writeFile(file.fd, encoder.encode("make "), 0);
  assert.equal(await Deno.readTextFile(file.path), "make container");
});

Deno.test("readFile() fills a buffer as far as the file goes", async () => {
  await using file = await newFile();
  writeFile(file.fd, encoder.encode("make container"));
  const buffer = new Uint8Array(9);
  assert.equal(readFile(file.fd, buffer, 5), 9);
  assert.equal(decoder.decode(buffer), "container");
  assert.equal(readFile(file.fd, buffer, 10), 4);
  assert.equal(decoder.decode(buffer), "inerainer");
  assert.equal(readFile(file.fd, buffer, 14), 0);
});

for (const isBlocking of [true, false]) {
  const kind = isBlocking ? "blocking" : "non-blocking";
  Deno.test({
    name: `readPipe() waits for all that comes through a ${kind} pipe`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using pipe = await newPath();
      await run("mkfifo", [pipe.path]);
      // Open both ways: that waits for nobody.
      const script = 'exec 3<>"$1"; echo; printf make >&3; sleep 0.2; ' +
        "printf -- -container >&3; read -r";
      await using writer = new Deno.Command("bash", {
        args: ["-c", script, "bash", pipe.path],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const ready = writer.stdout.getReader();
      await ready.read();
      await ready.cancel();
      const { O_RDONLY, O_NONBLOCK } = fs.constants;
      const fd = fs.openSync(
        pipe.path,
        isBlocking ? O_RDONLY : O_RDONLY | O_NONBLOCK,
      );
      try {
        const buffer = new Uint8Array(14);
        assert.equal(await readPipe(fd, buffer), 14);
        assert.equal(decoder.decode(buffer), "make-container");
        // The writer goes away now.
        await writer.stdin.close();
        assert.equal(await readPipe(fd, buffer), 0);
      } finally {
        fs.closeSync(fd);
      }
    },
  });
}

Deno.test({
  name: "writePipe() writes more than a pipe holds",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using pipe = await newPath();
    await run("mkfifo", [pipe.path]);
    const reader = run("bash", ["-c", 'wc -c <"$1"', "bash", pipe.path]);
    const fd = fs.openSync(pipe.path, "w");
    try {
      await writePipe(fd, new Uint8Array(1 << 20));
    } finally {
      fs.closeSync(fd);
    }
    assert.equal((await reader).trim(), `${1 << 20}`);
  },
});

Deno.test("takeTurn() lets a timer have its turn in a loop without a pause", async () => {
  let fired = false;
  const timer = setTimeout(() => {
    fired = true;
  });
  // Without a turn it would go on for seconds, and no timer would fire.
  for (let i = 0; i < 5_000_000 && !fired; i++) await takeTurn();
  clearTimeout(timer);
  assert.ok(fired);
});
