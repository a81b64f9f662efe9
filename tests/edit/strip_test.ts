import assert from "node:assert/strict";
import { stripped } from "../../lib/edit/strip.ts";
import { temporary } from "../support/ciso.ts";
import { run } from "../support/run.ts";
import { binary, utf8 } from "../../lib/streams/bytes.ts";

Deno.test("stripped() counts components as GNU tar does", async () => {
  await using folder = await temporary();
  const names = [
    "a",
    "a/",
    "a/b",
    "./a/b",
    ".//a//b/c",
    "/a/b",
    "//a//b/",
    "./",
  ];
  for (const name of names) {
    for (const count of [0, 1, 2, 3]) {
      const rest = stripped(utf8(name), count);
      const shown = rest && binary(rest);
      // What tar would make, as it says itself.
      const script = `import tarfile, sys
t = tarfile.open('${folder.path}/x.tar', 'w')
i = tarfile.TarInfo(); i.name = sys.argv[1]
i.type = tarfile.DIRTYPE if i.name.endswith('/') else tarfile.REGTYPE
t.addfile(i); t.close()`;
      await run("python3", ["-c", script, name]);
      const listed = await run("tar", [
        ...["-tf", `${folder.path}/x.tar`, "--show-transformed-names"],
        `--strip-components=${count}`,
      ]);
      assert.equal(
        (shown ?? "").replace(/\/$/, ""),
        listed.trim().replace(/^\/+|\/$/g, ""),
        `${name} ${count}`,
      );
    }
  }
});
