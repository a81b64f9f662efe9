// Rules for all of lib/ that no type can check: what messages are made of, and
// which errors are thrown.

import assert from "node:assert/strict";
import { ROOT } from "../support/ciso.ts";

/** All sources of the library and the program, by their paths below lib/. */
async function* sources(folder = "lib"): AsyncGenerator<[string, string]> {
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) {
      const text = await Deno.readTextFile(`${ROOT}/${path}`);
      // Comments may say what code must not.
      yield [path, text.replace(/\/\*\*[^]*?\*\/|^\s*\/\/.*$/gm, "")];
    }
  }
}

/** Fails with the lines that a pattern matches, but for some files. */
async function never(
  pattern: RegExp,
  reason: string,
  except: string[] = [],
): Promise<void> {
  const found: string[] = [];
  let files = 0;
  for await (const [path, text] of sources()) {
    files++;
    if (except.some((start) => path.startsWith(start))) continue;
    for (const line of text.split("\n")) {
      if (pattern.test(line)) found.push(`${path}: ${line.trim()}`);
    }
  }
  assert.ok(files > 100, "The sources are not where they are looked for");
  assert.equal(found.join("\n"), "", reason);
}

Deno.test("no message quotes foreign text by JSON.stringify", async () => {
  await never(/JSON\.stringify\(/, "use shown() of lib/errors/shown.ts", [
    // These write documents, code, or what --json prints.
    "lib/formats/",
    "lib/registry/",
    "lib/system/pieces_code.ts",
    "lib/errors/shown.ts",
    "lib/cli/export.ts",
    // These compare values.
    "lib/verify/same_json.ts",
    "lib/inspect/diff_images.ts",
    // It prints documents; and a page shows all text as text.
    "lib/cli/inspect.ts",
    "lib/inspect/page",
  ]);
});

Deno.test("no message holds what JSON.parse says", async () => {
  await never(/JSON\.parse\(/, "use parseJson() of lib/formats/json_text.ts", [
    "lib/formats/json_text.ts",
    // These read what ciso has checked or written before.
    // These read secrets, of which no message shows anything.
    "lib/registry/auth_file.ts",
    "lib/registry/authorization.ts",
    "lib/cli/export.ts",
    "lib/inspect/page",
  ]);
});

Deno.test("the program prints messages in one place", async () => {
  await never(/host\.print\(/, "use lib/cli/say.ts", [
    "lib/cli/say.ts",
    // The progress bar, which draws nothing but numbers.
    "lib/cli/output.ts",
  ]);
});

Deno.test("errors are of the classes that have an exit code", async () => {
  await never(/new (Range|Type|Syntax)?Error\(/, "use lib/errors/", [
    // It makes an error with a code, and shows what is no error at all.
    "lib/system/open_input.ts",
    "lib/cli/failure.ts",
    // Misuse by a program, and a stream that its reader gives up.
    "lib/system/spool_file.ts",
    "lib/build/isoc_stream.ts",
  ]);
});

Deno.test("nobody branches on the text of a message", async () => {
  await never(
    /test\(\(?\w+( as Error\))?\.message|message\.(includes|startsWith|match)\(/,
    "use a class",
  );
});
