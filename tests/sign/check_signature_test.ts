import assert from "node:assert/strict";
import { toBase64 } from "../../lib/sign/base64.ts";
import {
  checkSignature,
  type SignedClaims,
} from "../../lib/sign/check_signature.ts";
import { compareClaims } from "../../lib/sign/compare_claims.ts";
import { preAuthEncoding, STATEMENT_TYPE } from "../../lib/sign/dsse.ts";
import { imageClaims } from "../../lib/sign/image_claims.ts";
import {
  generateKeys,
  type PrivateKey,
  readPrivateKey,
  signBytes,
} from "../../lib/sign/key_pair.ts";
import { signImage, signStatement } from "../../lib/sign/sign_image.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { bytesDigest, sha512 } from "../../lib/streams/sha256.ts";
import { build } from "../../lib/build/build.ts";
import { tarOf } from "../support/tar_writer.ts";

async function newKey(): Promise<PrivateKey> {
  const { privatePem } = await generateKeys("");
  return await readPrivateKey(privatePem, {
    password: () => Promise.resolve(""),
    toPkcs8: () => undefined,
  });
}

const key = await newKey();
const other = await newKey();
const isoc = await sampleIsoc();
const file = { name: "a.isoc", digest: bytesDigest(isoc) };
const claims = await imageClaims(new Blob([isoc]));
const bundle = await signImage(file, claims, key);

async function sampleIsoc(): Promise<Uint8Array<ArrayBuffer>> {
  const rootfs = tarOf([
    { name: "etc/", type: "5", mode: 0o755 },
    { name: "etc/hosts", data: "127.0.0.1 localhost\n" },
  ]);
  const isoc = await build(new Blob([new Uint8Array(rootfs)]), {
    names: ["isoc/hello:1.0"],
    command: ["/bin/sh"],
    architecture: "amd64",
    created: 0,
  });
  return new Uint8Array(await new Response(isoc.stream()).arrayBuffer());
}

/** Checks a signature of the sample. */
function check(text: string, digest = file.digest, by = key) {
  return checkSignature(utf8(text), by.publicKey, { ...file, digest });
}

Deno.test("a signature fits its file and names what is in it", () => {
  const { key: name, claims: signed } = check(bundle);
  assert.match(name, /^SHA256:[\w+/]{43}$/);
  assert.ok(signed);
  const { images: [image], ...rest } = signed;
  const { cosign, ...facts } = image!;
  assert.deepEqual({ ...rest, images: [facts] }, {
    ...claims,
    file: `sha256:${file.digest}`,
  });
  const payload = JSON.parse(atob(cosign!.payload));
  assert.deepEqual(payload.critical, {
    identity: { "docker-reference": "isoc/hello" },
    image: { "docker-manifest-digest": facts.manifest },
    type: "cosign container image signature",
  });
});

Deno.test("it names the digests of all faces, as they are", async () => {
  const paths = Object.fromEntries(
    Object.entries(claims.faces).map(([face, documents]) => [
      face,
      documents.map(({ path }) => path.replace(/[0-9a-f]{64}/, "HEX")),
    ]),
  );
  assert.deepEqual(paths, {
    oci: ["blobs/sha256/HEX", "blobs/sha256/HEX", "index.json", "oci-layout"],
    docker: ["blobs/sha256/HEX", "manifest.json"],
    "docker-v1": ["repositories", "rootfs/json"],
    appc: ["manifest"],
    bundle: ["config.json"],
    lxd: ["metadata.yaml"],
  });
  const whole = sha512();
  whole.update(isoc);
  assert.equal(claims.aciId, `sha512-${whole.hex()}`);
  const [{ layers, manifest, config, platform }] = claims.images as [
    typeof claims.images[0],
  ];
  assert.equal(platform, "linux/amd64");
  for (const digest of [manifest, config, layers[0]!.digest]) {
    assert.match(digest!, /^sha256:[0-9a-f]{64}$/);
  }
  assert.equal(layers[0]!.digest, layers[0]!.diffId);
  const text = new TextDecoder("latin1").decode(isoc);
  const { faces: { appc } } = claims;
  const start = text.indexOf('{"acKind"');
  const end = text.indexOf("\n", start) + 1;
  const document = bytesDigest(isoc.subarray(start, end));
  assert.equal(appc![0]!.digest, `sha256:${document}`);
  await assert.rejects(
    imageClaims(new Blob([flipped(isoc, "127.0.0.1")])),
    /^InputError: blobs\/sha256\/[0-9a-f]{64} is damaged: its digest is sha256/,
  );
});

/** The bytes with one bit of a text, where it first comes, changed. */
function flipped(
  bytes: Uint8Array,
  text: string,
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const at = new TextDecoder("latin1").decode(bytes).indexOf(text);
  copy[at]! ^= 1;
  return copy;
}

Deno.test("each way to be wrong has its line", async () => {
  const json = JSON.parse(bundle);
  const envelope = json.dsseEnvelope;
  const changed = (value: object) => JSON.stringify({ ...json, ...value });
  const inner = (value: object) =>
    changed({ dsseEnvelope: { ...envelope, ...value } });
  const statement = atob(envelope.payload);
  const cases: [text: string, message: RegExp][] = [
    [
      await signImage(file, claims, other),
      /made with another key, "SHA256:[\w+/]+", not with SHA256:[\w+/]+: give/,
    ],
    ["", /no signature that is known here, but starts with ""/],
    ["garbage!", /no signature that is known here, but starts with "garbage!"/],
    [bundle.slice(0, -20), /It is not JSON: it starts with/],
    ["{}", /It holds no signatures that ciso knows, not one/],
    ["-----BEGIN PGP SIGNATURE-----", /OpenPGP: give the signer's keys with a/],
    [
      inner({ payload: btoa(statement.replace("a.isoc", "b.isoc")) }),
      /damaged/,
    ],
    [inner({ payload: "!" }), /Its payload is not base64/],
    [inner({ payloadType: "text/plain" }), /It signs "text\/plain", not a/],
    [inner({ signatures: [] }), /It holds no signatures/],
    [
      inner({ signatures: [...envelope.signatures, ...envelope.signatures] }),
      /It holds 2 signatures that ciso knows, not one/,
    ],
    [inner({ signatures: [{ sig: "AAAA" }] }), /It is damaged: its signature/],
    [
      changed({ verificationMaterial: { certificate: {} } }),
      /made with a certificate, which ciso does not check/,
    ],
    [
      await statementOf({ predicateType: "x" }),
      /something else of a file.* "x"/,
    ],
    [await statementOf({ subject: [] }), /the signature of another file with/],
    [
      await statementOf({ subject: [{ digest: { __proto__: "x" } }] }),
      /signature of another file/,
    ],
    [await statementOf({ subject: "x" }), /subject is a string, but must be/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => check(text), message, text.slice(0, 300));
    assert.throws(() => check(text), { name: "InputError" });
  }
  assert.throws(
    () => check(bundle, "ab".repeat(32)),
    /It is the signature of "a\.isoc" with sha256:[0-9a-f]{64}, but a\.isoc has sha256:(ab){32}: the file was changed/,
  );
});

/** A bundle of a statement that differs from a right one. */
async function statementOf(change: object): Promise<string> {
  const payload = utf8(JSON.stringify({
    subject: [{ digest: { sha256: file.digest } }],
    predicateType: "https://sigstore.dev/cosign/sign/v1",
    ...change,
  }));
  const sig = await signBytes(key, preAuthEncoding(STATEMENT_TYPE, payload));
  return JSON.stringify({
    dsseEnvelope: {
      payload: toBase64(payload),
      payloadType: STATEMENT_TYPE,
      signatures: [{ sig: toBase64(sig) }],
    },
  });
}

Deno.test("a file inside a signed file is not the signed file", async () => {
  const subjects = [
    { name: "a.isoc", digest: { sha256: file.digest } },
    { name: "layer", digest: { sha256: "cd".repeat(32) } },
  ];
  const text = await signStatement(subjects, {}, key);
  assert.deepEqual(check(text), { key: check(bundle).key });
  assert.throws(() => check(text, "cd".repeat(32)), /signature of "a\.isoc"/);
});

Deno.test("cosign's signatures of the file itself are taken", async () => {
  const signature = toBase64(await signBytes(key, isoc));
  const forms = [
    signature,
    `${signature}\n`,
    JSON.stringify({ base64Signature: signature, cert: "", rekorBundle: null }),
    JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { publicKey: { hint: key.publicKey.id } },
      messageSignature: { messageDigest: {}, signature },
    }),
  ];
  for (const form of forms) {
    assert.deepEqual(Object.keys(check(form)), ["key"]);
    assert.throws(
      () => check(form, "ab".repeat(32)),
      /It is no signature of a/,
    );
    assert.throws(() => check(form, file.digest, other), /key/);
  }
});

Deno.test("a signature that names other digests than the file has is found", () => {
  const other = `sha256:${"ab".repeat(32)}`;
  const signed = (change: object) =>
    ({ ...check(bundle).claims!, ...change }) as SignedClaims;
  compareClaims(signed({}), claims);
  // What another version of ciso says more or less is no matter.
  compareClaims(signed({ faces: undefined, more: 1 }), claims);
  const [image] = claims.images;
  const cases: [change: object, message: RegExp][] = [
    [
      { aciId: "sha512-00" },
      /names "sha512-00", and rkt gives the image another/,
    ],
    [
      { faces: { appc: [{ path: "manifest", digest: other }] } },
      /it says that of "manifest", which has sha256:/,
    ],
    [
      { faces: { new: [{ path: "new.json", digest: other }] } },
      /it says that of "new\.json", which is not there: do not trust who/,
    ],
    [{ images: [{ ...image, manifest: other }] }, /no image in it has that/],
    [{ images: [{ ...image, config: other }] }, /no image in it has that/],
    [{ images: [{ layers: [{ digest: other }] }] }, /no image in it has that/],
    [{ images: "x" }, /images is a string, but must be a list/],
  ];
  for (const [change, message] of cases) {
    assert.throws(() => compareClaims(signed(change), claims), message);
  }
});
