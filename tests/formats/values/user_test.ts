import { DescriptionError } from "../../../lib/errors/description_error.ts";
import assert from "node:assert/strict";
import { parseUser, userIds } from "../../../lib/formats/values/user.ts";

const PASSWD = `# accounts
root:x:0:0:root:/root:/bin/sh
app:x:1000:1001:App:/home/app:/bin/sh

12:x:77:78::/:/bin/false
`;
const GROUP = `root:x:0:
app:x:1001:
audio:x:29:app,other
video:x:44:other,app
`;

Deno.test("parseUser() splits the halves", () => {
  assert.deepEqual(parseUser("app:audio"), { user: "app", group: "audio" });
  assert.deepEqual(parseUser("1000"), { user: "1000" });
  assert.deepEqual(parseUser("app:"), { user: "app" });
  assert.deepEqual(parseUser(":29"), { user: "0", group: "29" });
  assert.deepEqual(parseUser(), { user: "0" });
  assert.throws(() => parseUser("a:b:c"), DescriptionError);
});

Deno.test("userIds() is root unless another is given", () => {
  assert.deepEqual(userIds(), { uid: 0, gid: 0 });
  assert.deepEqual(userIds("", PASSWD, GROUP), { uid: 0, gid: 0 });
});

Deno.test("userIds() looks names up", () => {
  assert.deepEqual(userIds("app", PASSWD, GROUP), {
    uid: 1000,
    gid: 1001,
    additionalGids: [29, 44],
  });
  assert.deepEqual(userIds("app:video", PASSWD, GROUP), { uid: 1000, gid: 44 });
  assert.deepEqual(userIds(":audio", PASSWD, GROUP), { uid: 0, gid: 29 });
});

Deno.test("userIds() takes numbers that are in no file", () => {
  assert.deepEqual(userIds("5:6"), { uid: 5, gid: 6 });
  assert.deepEqual(userIds("5", PASSWD, GROUP), { uid: 5, gid: 0 });
});

Deno.test("userIds() knows a number's group, and a name of digits", () => {
  assert.deepEqual(userIds("1000", PASSWD), { uid: 1000, gid: 1001 });
  assert.deepEqual(userIds("12", PASSWD), { uid: 77, gid: 78 });
});

Deno.test("userIds() refuses names that are in no file", () => {
  assert.throws(() => userIds("nobody", PASSWD), {
    name: "DescriptionError",
    message: /User "nobody" is not in the rootfs's \/etc\/passwd/,
  });
  assert.throws(() => userIds("app:wheel", PASSWD, GROUP), {
    name: "DescriptionError",
    message: /Group "wheel" is not in the rootfs's \/etc\/group/,
  });
});

Deno.test("userIds() refuses numbers that the kernel does not have", () => {
  assert.deepEqual(userIds("4294967294"), { uid: 4294967294, gid: 0 });
  assert.throws(() => userIds("4294967295"), DescriptionError);
});
