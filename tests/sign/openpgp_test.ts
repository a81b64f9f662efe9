import assert from "node:assert/strict";
import {
  readKeyring,
  readVerdict,
  signFailure,
} from "../../lib/sign/openpgp.ts";
import { utf8 } from "../../lib/streams/bytes.ts";

const KEY = "B16BB843D3BBC6D7063FD67F8FD2329B3A52FCE0";
const GOOD = [
  "[GNUPG:] NEWSIG",
  "[GNUPG:] GOODSIG 8FD2329B3A52FCE0 A %0a User <a@example.org>",
  `[GNUPG:] VALIDSIG ${KEY} 2026-11-26 1795730691 0 4 0 1 8 00 ${KEY}`,
  "",
].join("\n");

Deno.test("a good signature says whose it is", () => {
  assert.deepEqual(readVerdict(GOOD, 0, ""), {
    fingerprint: KEY,
    date: "2026-11-26",
    userId: "A \n User <a@example.org>",
  });
  // Somebody else has signed, too.
  const unknown = "[GNUPG:] ERRSIG 00AA 1 8 00 1795730691 9 ABCD\n";
  assert.equal(readVerdict(GOOD + unknown, 2, "").fingerprint, KEY);
});

Deno.test("anything less than a good signature is refused", () => {
  const cases: [status: string, message: RegExp][] = [
    [
      "BADSIG 00AA A User",
      /no signature of this file by the key "00AA": the f/,
    ],
    ["EXPKEYSIG 00AA A User", /The key "00AA" that made it has expired: get/],
    ["REVKEYSIG 00AA A User", /The key "00AA" that made it has been revoked/],
    ["EXPSIG 00AA A User", /The signature has expired: have the file signed/],
    [
      "ERRSIG 00AA 1 8 00 17 4 ABCD",
      /cannot check it: key "00AA", algorithm "1"/,
    ],
    ["NODATA 4", /It is no signature of OpenPGP, or damaged/],
  ];
  for (const [status, message] of cases) {
    const line = `[GNUPG:] ${status}\n`;
    assert.throws(() => readVerdict(line, 1, ""), message);
    // Nor is it good beside a good one.
    assert.throws(() => readVerdict(GOOD + line, 0, ""), message);
  }
  assert.throws(
    () => readVerdict("[GNUPG:] ERRSIG 00AA 1 8 00 17 9 ABCD\n", 2, ""),
    /made with the key "00AA", which is not in the keyring: add the signer's/,
  );
  const words = "gpgv: can't open 'x'\n";
  assert.throws(() => readVerdict("", 2, words), /take it: "can't open 'x'"/);
  assert.throws(() => readVerdict(GOOD, 1, ""), /gpgv does not take it/);
  const said = GOOD.replaceAll("[GNUPG:]", "x [GNUPG:]");
  assert.throws(() => readVerdict(said, 0, ""), /gpgv does not take it/);
});

Deno.test("why gpg does not sign is said in words", () => {
  const cases: [said: string, message: RegExp][] = [
    ["[GNUPG:] INV_SGNR 9 x", /key "x": there is no private key of that name/],
    [
      "[GNUPG:] INV_SGNR 9 x\n[GNUPG:] FAILURE sign 54\n",
      /key "x": it has expired, is revoked or is not for signatures; gpg --list/,
    ],
    ["[GNUPG:] INV_SGNR 5 x", /key "x": it has expired, is revoked or is not/],
    [
      "gpg: signing failed: Operation cancelled\n",
      /"signing failed: Operation c/,
    ],
    [
      "gpg: signing failed: Inappropriate ioctl for device\n",
      /ioctl for device"; let it ask with export GPG_TTY=\$\(tty\)$/,
    ],
    ["", /it says nothing/],
  ];
  for (const [said, message] of cases) {
    assert.match(signFailure("x", said).message, message);
  }
});

Deno.test("a keyring loses its armour, and a file without keys is refused", () => {
  const block = (body: string) =>
    `-----BEGIN PGP PUBLIC KEY BLOCK-----\n${body}-----END PGP PUBLIC KEY BLOCK-----\n`;
  const armoured = block("Comment: x\n\nmQ==\n=ABCD\n") + block("\nmYg=\n");
  assert.deepEqual(
    readKeyring(utf8(armoured)),
    new Uint8Array([0x99, 0x99, 0x88]),
  );
  const plain = new Uint8Array([0x99, 1, 2]);
  assert.deepEqual(readKeyring(plain), plain);
  assert.throws(() => readKeyring(new Uint8Array()), /It is empty/);
  assert.throws(
    () => readKeyring(utf8("-----BEGIN PUBLIC KEY-----\n")),
    /It holds no public keys of OpenPGP, but starts with/,
  );
});
