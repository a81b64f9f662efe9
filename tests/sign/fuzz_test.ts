// Damaged keys and signatures are refused in words, whatever is damaged.
import assert from "node:assert/strict";
import {
  checkSignature,
  imageSignatures,
  isSigned,
} from "../../lib/sign/check_signature.ts";
import {
  generateKeys,
  readPrivateKey,
  readPublicKey,
  signBytes,
} from "../../lib/sign/key_pair.ts";
import { readKeyring } from "../../lib/sign/openpgp.ts";
import { signImage } from "../../lib/sign/sign_image.ts";
import { toBase64 } from "../../lib/sign/base64.ts";
import { writePem } from "../../lib/sign/pem.ts";
import { toPkcs8 } from "../../lib/system/private_key.ts";
import { utf8 } from "../../lib/streams/bytes.ts";
import { seededRandom } from "../support/random.ts";

/** 3000 of them were tried once. */
const ROUNDS = 300;
const random = seededRandom(11);
const WORDS = ["null", "{}", "[]", '""', "1e999", "-----", "AAAA", "\\u0000"];

/** A text with a few bytes changed, taken out, doubled, or a word put in. */
function damaged(text: string): string {
  let bytes = Array.from(text);
  for (let i = random(3); i >= 0; i--) {
    const at = random(bytes.length);
    switch (random(5)) {
      case 0:
        bytes[at] = String.fromCharCode(random(256));
        break;
      case 1:
        bytes.splice(at, random(20));
        break;
      case 2:
        bytes.splice(at, 0, ...bytes.slice(at, at + random(200)));
        break;
      case 3:
        bytes.splice(at, 0, WORDS[random(WORDS.length)]!);
        break;
      default:
        bytes = bytes.slice(0, at);
    }
  }
  return bytes.join("");
}

/** What a signature says inside, damaged, and packed again as it was. */
function damagedInside(bundle: string): string {
  const { dsseEnvelope, ...rest } = JSON.parse(bundle);
  const payload = btoa(
    damaged(atob(dsseEnvelope.payload)).replace(
      // deno-lint-ignore no-control-regex
      /[^\x00-\xff]/g,
      "",
    ),
  );
  return JSON.stringify({
    ...rest,
    dsseEnvelope: { ...dsseEnvelope, payload },
  });
}

async function refusal(use: () => unknown): Promise<boolean> {
  try {
    await use();
    return false;
  } catch (error) {
    assert.equal((error as Error).name, "InputError", (error as Error).stack);
    return true;
  }
}

Deno.test("damaged keys and signatures are refused in words", async () => {
  const password = () => Promise.resolve("");
  const { privatePem, publicPem } = await generateKeys("");
  const key = await readPrivateKey(privatePem, { password, toPkcs8 });
  const secret = await crypto.subtle.exportKey("pkcs8", key.key);
  const plainPem = writePem("PRIVATE KEY", new Uint8Array(secret));
  const file = { name: "a", digest: "ab".repeat(32) };
  const bundle = await signImage(file, {
    version: 1,
    images: [{
      names: ["a/b:c"],
      faces: ["oci"],
      manifest: `sha256:${file.digest}`,
      layers: [],
    }],
    faces: { oci: [{ path: "index.json", digest: "sha256:00" }] },
  }, key);
  const bare = toBase64(await signBytes(key, utf8("x")));
  checkSignature(utf8(bundle), key.publicKey, file);
  let refused = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const texts = [damaged(bundle), damagedInside(bundle), damaged(bare)];
    for (const bytes of texts.map((text) => utf8(text))) {
      refused += Number(
        await refusal(() => checkSignature(bytes, key.publicKey, file)),
      );
      await refusal(() => isSigned(bytes, key.publicKey, file.digest));
      await refusal(() => imageSignatures(bytes));
    }
    await refusal(() => readPublicKey(damaged(publicPem)));
    const reader = { password: () => Promise.reject(), toPkcs8 };
    const pem = damaged(plainPem);
    if (!/ENCRYPTED/.test(pem)) {
      await refusal(() => readPrivateKey(pem, reader));
    }
    const armour = plainPem.replaceAll("PRIVATE KEY", "PGP PUBLIC KEY BLOCK");
    await refusal(() => readKeyring(utf8(damaged(armour))));
  }
  // A change may leave what it means, such as a newline at the end.
  assert.ok(refused > 2.8 * ROUNDS, `${refused} of ${3 * ROUNDS} are refused`);
});
