// One archive for several platforms, from the words of a command line to the bytes.

import assert from "node:assert/strict";
import { allowing, ciso, shell, temporary } from "../support/ciso.ts";
import { tarOf } from "../support/tar_writer.ts";

const PLATFORMS = ["linux/amd64", "linux/arm64", "linux/arm/v7"];
const env = { SOURCE_DATE_EPOCH: "1433664550" };
// A directory needs find.
const command = allowing("--allow-run=find");
const work = await temporary();
Deno.test.afterAll(() => Deno.remove(work.path, { recursive: true }));

/** Runs lines of bash in which "$@" is ciso, each of which must go well. */
async function lines(...all: string[]): Promise<string> {
  const said = await Promise.all(all.map(async (line) => {
    const result = await shell(line, [], { command, env, cwd: work.path });
    assert.equal(result.code, 0, `${line}\n${result.stderr}`);
    return result.stdout;
  }));
  return said.join("");
}

/** What is said of a command line that is wrong; nothing is written for it. */
async function refused(code: number, ...args: string[]): Promise<string> {
  const result = await ciso([...args, "-o", "none.isoc"], {
    env,
    cwd: work.path,
  });
  assert.equal(result.code, code, result.stderr);
  assert.equal(result.stdout, "");
  await assert.rejects(Deno.stat(`${work.path}/none.isoc`));
  return result.stderr;
}

const fileOf = (platform: string) => platform.replaceAll("/", "-");
for (const platform of PLATFORMS) {
  await Deno.writeFile(
    `${work.path}/${fileOf(platform)}.tar`,
    tarOf([
      { name: "./", type: "5", mode: 0o755 },
      { name: "./bin/", type: "5", mode: 0o755 },
      { name: "./bin/run", mode: 0o755, data: `#! ${platform}`.repeat(100) },
    ]),
  );
}
await lines(
  ...PLATFORMS.map((platform) =>
    `"$@" ${fileOf(platform)}.tar -q -t me/app:1 --platform ${platform} ` +
    `-o ${fileOf(platform)}.isoc -- /bin/run`
  ),
);
const isocs = PLATFORMS.map((platform) => `${fileOf(platform)}.isoc`);
await lines(`"$@" join ${isocs.join(" ")} -q --primary linux/arm64 -o m.isoc`);

Deno.test("ciso join, build and convert make the same archive of several platforms", async () => {
  const files = PLATFORMS.map((one) => `--platform ${one}=${fileOf(one)}.tar`);
  await lines(
    `"$@" build ${files.join(" ")} -q -t me/app:1 --primary linux/arm64 ` +
      `-- /bin/run | cmp - m.isoc`,
    '"$@" convert m.isoc -q | cmp - m.isoc',
    'cat m.isoc | "$@" convert -q --platform all | cmp - m.isoc',
    `gzip -k ${isocs[2]} && cat ${isocs[0]} | "$@" join - ${isocs[1]} ${
      isocs[2]
    }.gz -q --primary linux/arm64 | cmp - m.isoc`,
    `"$@" convert m.isoc --platform linux/arm/v7 -q | cmp - ${isocs[2]}`,
    // A directory and standard input will do as well.
    `mkdir tree && tar -xf linux-amd64.tar -C tree && "$@" -q -t me/app:1 ` +
      "--platform linux/amd64=tree --platform linux/arm64=- -o d.isoc " +
      "-- /bin/run <linux-arm64.tar && tar -xf d.isoc oci-layout",
  );
  const two = await lines(
    '"$@" convert m.isoc --platform linux/arm,linux/amd64 -q ' +
      "--primary linux/arm | tar -xO manifest.json manifest",
  );
  assert.match(two, /armv7l/);
});

Deno.test("each face of each platform comes out as if the platform were alone", async () => {
  const [platform, alone] = [PLATFORMS[2], isocs[2]];
  await lines(
    ...["appc", "oci", "bundle", "rootfs"].map((face) =>
      `cmp <("$@" export m.isoc --as ${face} --platform ${platform}) ` +
      `<("$@" export ${alone} --as ${face})`
    ),
  );
  const all = await lines(
    '"$@" export m.isoc --as oci | tar -t | grep -c blobs',
  );
  assert.equal(all, "12\n");
  const whose = await lines(
    '"$@" export m.isoc --as rootfs | tar -xO ./bin/run',
  );
  assert.match(whose, /linux\/arm64/);
});

Deno.test("inspect, cat and diff take the image of a platform", async () => {
  const { images, image } = JSON.parse(
    await lines('"$@" inspect m.isoc --json'),
  );
  assert.equal(image.platform.architecture, "arm64");
  assert.deepEqual(
    images.map(({ faces }: { faces: string[] }) => faces.length),
    [6, 1, 1],
  );
  const cat = await lines('"$@" cat m.isoc /bin/run --platform linux/amd64');
  assert.match(cat, /^#! linux\/amd64/);
  const diff = await shell(
    '"$@" diff m.isoc m.isoc --platform linux/amd64 --platform linux/arm64',
    [],
    { cwd: work.path },
  );
  assert.equal(diff.code, 1, diff.stderr);
  assert.match(diff.stdout, /\+ architecture=arm64[^]*~ bin\/run/);
});

Deno.test("join edits the image of each platform", async () => {
  await lines(
    `echo new >new; echo y | "$@" join ${isocs[0]} ${
      isocs[1]
    } -q -o edited.isoc ` +
      "--add new:/new --add -:/in --remove /bin/none --squash --owner 7:8",
  );
  for (const platform of PLATFORMS.slice(0, 2)) {
    const list = await lines(
      `"$@" export edited.isoc --as rootfs --platform ${platform} |
        tar --numeric-owner -tv | grep -c ' 7/8 '`,
    );
    assert(Number(list) > 3, list);
    const cat = await lines(
      `"$@" cat edited.isoc new /in --platform ${platform}`,
    );
    assert.equal(cat, "new\ny\n");
  }
});

Deno.test("names that differ want one chosen", async () => {
  await lines(`"$@" convert ${isocs[1]} -t me/other:2 -q -o other.isoc`);
  const said = await refused(2, "join", isocs[0]!, "other.isoc", "-q");
  assert.match(
    said,
    /amd64: .*me\/app:1; linux\/arm64: .*me\/other:2\): choose/,
  );
  for (const option of ["--name me/other:2", "-t me/other:2"]) {
    const index = await lines(
      `"$@" join ${isocs[0]} other.isoc ${option} -q | tar -xO index.json`,
    );
    const { manifests } = JSON.parse(index);
    assert.equal(manifests.length, 1);
    assert.equal(
      manifests[0].annotations["io.containerd.image.name"],
      "docker.io/me/other:2",
    );
  }
});

Deno.test("what options say holds for the images of all platforms", async () => {
  const said = await lines(
    `"$@" join ${isocs[0]} ${isocs[1]} -q -e A=1 -l k=v -o changed.isoc ` +
      `-- /bin/run now && for p in amd64 arm64; do "$@" inspect changed.isoc ` +
      "--config --platform linux/$p; done",
  );
  const configs = said.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    configs.map(({ architecture }) => architecture),
    ["amd64", "arm64"],
  );
  for (const { config } of configs) {
    assert.deepEqual(config.Cmd, ["/bin/run", "now"]);
    assert.ok(config.Env.includes("A=1"));
    assert.equal(config.Labels.k, "v");
  }
});

Deno.test("platforms that do not fit together are refused", async () => {
  const [one, two] = isocs as [string, string];
  for (
    const [code, args, message] of [
      [2, ["join", one, one], /linux-amd64.isoc comes twice/],
      [
        2,
        ["join", one, `./${one}`],
        /Two images are for linux\/amd64: linux-amd/,
      ],
      [2, ["convert", one, "--primary", "linux/amd64"], /goes with several/],
      [2, ["join", one], /takes at least two images/],
      [2, ["join", one, two, "--primary", "linux/386"], /--primary: no image/],
      [2, ["join", one, two, "--faces", "appc"], /need the face oci/],
      [1, ["join", one, two, "--platform", "linux/386"], /No image is for/],
      [1, ["join", one, "linux-amd64.tar"], /linux-amd64.tar: It is no image/],
      [1, ["convert", "m.isoc", "--platform", "linux/386"], /linux\/386/],
      [
        2,
        [
          "convert",
          one,
          "--platform",
          "linux/amd64",
          "--platform",
          "linux/arm64",
        ],
        /no image for several platforms/,
      ],
      [
        2,
        [
          "--platform",
          "linux/arm=a",
          "--platform",
          "linux/arm/v7=b",
          "-t",
          "a",
        ],
        /linux\/arm\/v7 comes twice/,
      ],
      [
        2,
        ["--platform", "linux/arm=a", "--platform", "linux/amd64", "-t", "a"],
        /linux\/amd64 has no rootfs/,
      ],
      [2, ["--platform", "linux/arm=", "-t", "a"], /needs a file after the =/],
      [
        2,
        [
          "--platform",
          "linux/arm=-",
          "--platform",
          "linux/amd64=-",
          "-t",
          "a",
          "--cmd",
          "a",
        ],
        /Standard input can be read once only/,
      ],
    ] as [number, string[], RegExp][]
  ) {
    assert.match(await refused(code, ...args), message);
  }
});
