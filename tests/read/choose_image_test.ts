import assert from "node:assert/strict";
import {
  type Candidate,
  chooseImage,
  type ImageChoice,
} from "../../lib/read/choose_image.ts";

const AMD64 = { os: "linux", architecture: "amd64" };

const image = (digit: string, names: string[]): Candidate => ({
  id: digit,
  digests: [digit.repeat(64)],
  names,
  platform: AMD64,
});

/** What podman and umoci write: several names, bare tags, none at all. */
const SAVED = [
  image("1", ["localhost/me/app:1.0", "me/app:2"]),
  image("2", ["registry.example:5000/x/app:v1"]),
  image("3", ["ME/Up:1"]),
];
const TAGGED = [image("4", ["1.0"]), image("5", ["1.1"])];
const UNNAMED = [image("6", []), image("7", [])];

function chosen(all: Candidate[], name: string, choice?: ImageChoice): string {
  return chooseImage(all, { ...choice, name }).map(({ id }) => id).join();
}

function refused(all: Candidate[], name: string | undefined, text: string) {
  assert.throws(
    () => chooseImage(all, name === undefined ? {} : { name }),
    { name: "InputError", message: text },
  );
}

Deno.test("chooseImage() takes a name, with and without its tag", () => {
  assert.equal(chosen(SAVED, "me/app:1.0"), "1");
  assert.equal(chosen(SAVED, "docker.io/me/app:2"), "1");
  assert.equal(chosen(SAVED, "registry.example:5000/x/app"), "2");
  // One that engines refuse, and that an archive has nevertheless.
  assert.equal(chosen(SAVED, "ME/Up"), "3");
  assert.equal(chosen(TAGGED, "1.1"), "5");
});

Deno.test("chooseImage() takes no beginning of a name for it", () => {
  const has = "1.0 for linux/amd64, 1.1 for linux/amd64";
  for (const name of ["1", "1.", ""]) {
    refused(TAGGED, name, `It holds no image "${name}"; it has ${has}`);
  }
  assert.throws(() => chosen(SAVED, "me/ap"), /holds no image "me\/ap"/);
  assert.throws(() => chosen(SAVED, "me/app:"), /holds no image "me\/app:"/);
});

Deno.test("chooseImage() takes the beginning of a digest, with a name too", () => {
  assert.equal(chosen(UNNAMED, "7".repeat(12)), "7");
  assert.equal(chosen(UNNAMED, `sha256:${"6".repeat(64)}`), "6");
  assert.equal(chosen(SAVED, `me/app@sha256:${"1".repeat(64)}`), "1");
  for (
    const name of [
      "7".repeat(11),
      `me/app@sha256:${"2".repeat(64)}`,
      `me/none@sha256:${"1".repeat(64)}`,
    ]
  ) {
    assert.throws(() => chosen([...SAVED, ...UNNAMED], name), /holds no image/);
  }
});

Deno.test("chooseImage() lists digests where nothing else tells images apart", () => {
  refused(
    UNNAMED,
    undefined,
    "It holds several images (sha256:666666666666 for linux/amd64, " +
      "sha256:777777777777 for linux/amd64): choose one with FILE:DIGEST or " +
      "--name DIGEST",
  );
  refused(
    TAGGED,
    undefined,
    "It holds several images (1.0 for linux/amd64, 1.1 for linux/amd64): " +
      "choose one with FILE:NAME[:TAG] or --name NAME[:TAG]",
  );
});

Deno.test("chooseImage() lists no digest where the platform tells images apart", () => {
  const arm = { os: "linux", architecture: "arm64" };
  const platforms = [image("8", []), { ...image("9", []), platform: arm }];
  refused(
    platforms,
    undefined,
    "It holds several images (linux/amd64, linux/arm64): choose one with " +
      "--platform, or save it alone",
  );
  refused(
    [...platforms, image("1", ["me/app:1"])],
    "none",
    'It holds no image "none"; it has sha256:888888888888 for linux/amd64, ' +
      "linux/arm64, me/app:1 for linux/amd64",
  );
});

Deno.test("chooseImage() quotes hostile names, and cuts them and their number", () => {
  const all = Array.from(
    { length: 30 },
    (_, i) => image(`${i}`, [`a\x1b[31m${i}`, "x".repeat(5000)]),
  );
  assert.throws(() => chooseImage(all, {}), (error: Error) => {
    assert.match(error.message, /"a\\u001b\[31m0" "x+"… for linux/);
    assert.match(error.message, / and 10 more\)/);
    assert(!error.message.includes("\x1b") && error.message.length < 6000);
    return true;
  });
});
