import assert from "node:assert/strict";
import {
  generateKeys,
  isSignature,
  readPrivateKey,
  readPublicKey,
  signBytes,
} from "../../lib/sign/key_pair.ts";
import { toPkcs8 } from "../../lib/system/private_key.ts";
import { writePem } from "../../lib/sign/pem.ts";
import { seal, unseal } from "../../lib/sign/sealed_key.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { bytesDigest } from "../../lib/streams/sha256.ts";
import { run } from "../support/run.ts";

const never = {
  password: () => Promise.reject(new Error("It asks for a password")),
  toPkcs8,
};
const by = (password: string) => ({
  password: () => Promise.resolve(password),
  toPkcs8,
});

/** Made by cosign 3.1.1 with COSIGN_PASSWORD=pw. */
const COSIGN = {
  key: `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJRSXhPRU9Dck1DNTdxMUdLSmVCS05LZFFxZkVwWCtV
SkRqb0lrd25kTmpVPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJnYmlmbEtkNTJvcmYwMHJHS1IyTVRwVnRCMmhFS0wwbyJ9LCJj
aXBoZXJ0ZXh0IjoiRTlxcmJYSVErOTNlR2NtSVNEa01JT0VmSFNBR0ZVNUcyZktN
cDdOanAyR3ZrUHlkYmduUGdLSERXSGM3RWtpbVFudDk4UWJSa1pPQ1VrN1A1WGFs
c3h2UE5icC9ZTnJ5SW5nRkhyazhvS20raTFjUkE2ZjZUVzhEOVhXQXJQSXdIaUNC
cFZGaXhndkpKMjNENy9helJCb01EOUJZSWppbmpjMzQybXRENkFvNnlxTitURENR
QXl4V3l3K1A1V2hudEJIRVFCT1ZyQndGSWc9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
`,
  pub: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYKPjqyAdgcSQ+CmqEMequ3NiKwpm
jZyPqC4+nF863nck0AH0HCVVe70lgDx9u4OoY5lW3l44lDBH1QmUIO1nRQ==
-----END PUBLIC KEY-----
`,
};

/** A key of OpenSSL: its private half as PKCS#8, or as it comes, and its public half. */
async function openssl(...args: string[]) {
  const plain = await run("openssl", args);
  const work = await Deno.makeTempDir();
  try {
    const path = `${work}/key`;
    await Deno.writeTextFile(path, plain);
    return {
      plain,
      pkcs8: await run("openssl", ["pkcs8", "-topk8", "-nocrypt", "-in", path]),
      sealed: await run("openssl", [
        ...["pkcs8", "-topk8", "-passout", "pass:pw", "-in", path],
      ]),
      pub: await run("openssl", ["pkey", "-pubout", "-in", path]),
    };
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

const ec = (curve: string) =>
  openssl("ecparam", "-name", curve, "-genkey", "-noout");

Deno.test("a pair signs and checks, and its private half needs the password", async () => {
  const { privatePem, publicPem, publicKey } = await generateKeys("pä ss");
  assert.match(privatePem, /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/);
  assert.deepEqual(await readPublicKey(publicPem), publicKey);
  const key = await readPrivateKey(privatePem, by("pä ss"));
  assert.deepEqual(key.publicKey, publicKey);
  const bytes = utf8("make container");
  const signature = await signBytes(key, bytes);
  assert.ok(isSignature(publicKey, bytesDigest(bytes), signature));
  assert.ok(!isSignature(publicKey, bytesDigest(utf8("war")), signature));
  for (let i = 0; i < signature.length; i++) {
    const other = signature.slice();
    other[i]! ^= 1 << (i % 8);
    assert.ok(!isSignature(publicKey, bytesDigest(bytes), other), `byte ${i}`);
  }
  await assert.rejects(
    readPrivateKey(privatePem, by("pä s")),
    /^InputError: The password is wrong, or the key file is damaged: give the /,
  );
});

Deno.test("a key pair of cosign is read", async () => {
  const key = await readPrivateKey(COSIGN.key, by("pw"));
  assert.deepEqual(key.publicKey, await readPublicKey(COSIGN.pub));
  // Before cosign 2 the label was another one.
  const old = COSIGN.key.replaceAll("SIGSTORE", "COSIGN");
  const again = await readPrivateKey(old, by("pw"));
  assert.equal(again.publicKey.id, key.publicKey.id);
});

Deno.test("OpenSSL's keys are read, and what they sign is right", async () => {
  const { plain, pkcs8, sealed, pub } = await ec("prime256v1");
  const key = await readPrivateKey(pkcs8, never);
  assert.equal(key.publicKey.id, (await readPublicKey(pub)).id);
  for (const [other, reader] of [[plain, never], [sealed, by("pw")]] as const) {
    const same = await readPrivateKey(other, reader);
    assert.equal(same.publicKey.id, key.publicKey.id);
  }
  await assert.rejects(
    readPrivateKey(sealed, by("no")),
    /The password is wrong/,
  );
  await assert.rejects(
    readPrivateKey(plain.replace(/\n..../, "\nAAAA"), never),
    /It is a damaged private key/,
  );
  const work = await Deno.makeTempDir();
  await Deno.writeTextFile(`${work}/pub`, pub);
  await Deno.writeTextFile(`${work}/data`, "make container");
  const signature = await signBytes(key, utf8("make container"));
  await Deno.writeFile(`${work}/sig`, signature);
  const args = ["dgst", "-sha256", "-verify", `${work}/pub`];
  args.push("-signature", `${work}/sig`, `${work}/data`);
  assert.equal(await run("openssl", args), "Verified OK\n");
  await Deno.remove(work, { recursive: true });
});

Deno.test("keys of other kinds are named", async () => {
  const kinds: [kind: string, Awaited<ReturnType<typeof openssl>>][] = [
    ["an ECDSA key on P-384", await ec("secp384r1")],
    ["an ECDSA key on P-521", await ec("secp521r1")],
    ["an ECDSA key on secp256k1", await ec("secp256k1")],
    ["an RSA key", await openssl("genrsa", "2048")],
    ["an Ed25519 key", await openssl("genpkey", "-algorithm", "ed25519")],
  ];
  for (const [kind, { pkcs8, pub }] of kinds) {
    await assert.rejects(
      readPrivateKey(pkcs8, never),
      new RegExp(
        `It is ${kind}, but ciso signs with ECDSA on P-256: make such`,
      ),
    );
    await assert.rejects(
      readPublicKey(pub),
      new RegExp(`It is ${kind}, but only ECDSA on P-256 is checked here`),
    );
  }
});

Deno.test("a file that is no such key is refused in words", async () => {
  const { privatePem, publicPem } = await generateKeys("");
  for (
    const [file, message] of [
      ["", /no public key in PEM, but starts with ""/],
      ["ssh-rsa AAAA", /no public key in PEM, but starts with "ssh-rsa AAAA"/],
      [privatePem, /It is a private key: give the public key/],
      [publicPem.slice(0, -20), /cut short or damaged/],
      [publicPem.replace("MFkw", "MFk!"), /cut short or damaged/],
      [publicPem.replace(/\n..../, "\nAAAA"), /It is damaged, or no key/],
      [writePem("CERTIFICATE", new Uint8Array(9)), /It is "CERTIFICATE", not/],
      ["-----BEGIN PGP PUBLIC KEY BLOCK-----\n", /give it with --keyring/],
    ] as const
  ) {
    await assert.rejects(readPublicKey(file), message);
  }
  await assert.rejects(
    readPrivateKey(publicPem, never),
    /It is a public key, which checks signatures: give the private key/,
  );
});

Deno.test("what an encrypted key asks for has limits", async () => {
  const document = new TextDecoder().decode(await seal(utf8("key"), "pw"));
  assert.deepEqual(await unseal(utf8(document), "pw"), utf8("key"));
  for (
    const [from, to, message] of [
      ['"N":65536', '"N":1073741824', /It asks scrypt for N 1073741824, r 8/],
      ['"N":65536', '"N":65537', /It asks scrypt for N 65537/],
      ['"N":65536', '"N":-2', /It asks scrypt for N -2/],
      ['"r":8', '"r":80000', /It asks scrypt for N 65536, r 80000/],
      ['"p":1', '"p":1000', /p 1000, which no version of cosign writes/],
      ['"p":1', '"p":"1"', /kdf.params.p is a string, but must be a whole/],
      ['"scrypt"', '"argon2"', /encrypted in a way that cosign does not know/],
      ['"nonce":"', '"nonce":"AAAA', /Its nonce has 27 bytes, not 24/],
      ['"salt":"', '"salt":"AAAA', /The password is wrong, or the key file/],
      ['"ciphertext":"', '"ciphertext":"!', /Its ciphertext is not base64/],
      ["{", "[", /is not JSON/],
    ] as const
  ) {
    assert.ok(document.includes(from));
    await assert.rejects(
      unseal(utf8(document.replace(from, to)), "pw"),
      message,
    );
  }
});
