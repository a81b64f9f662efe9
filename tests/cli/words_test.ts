import { InputError } from "../../lib/errors/input_error.ts";
import assert from "node:assert/strict";
import { splitWords } from "../../lib/cli/words.ts";
import { seededRandom } from "../support/random.ts";

Deno.test("splitWords() splits plain words on blanks", () => {
  assert.deepEqual(
    splitWords(" /bin/echo  make\tcontainer\nnot war "),
    ["/bin/echo", "make", "container", "not", "war"],
  );
  assert.deepEqual(splitWords(""), []);
  assert.deepEqual(splitWords(" \t\n"), []);
});

Deno.test("splitWords() keeps what is quoted together", () => {
  assert.deepEqual(
    splitWords(`sh -c 'echo "a  b"' "it's" a' 'b" "c\\ d`),
    ["sh", "-c", `echo "a  b"`, "it's", "a b c d"],
  );
  assert.deepEqual(splitWords(`'' "" a''`), ["", "", "a"]);
  assert.deepEqual(splitWords(`'a\nb' "c\nd"`), ["a\nb", "c\nd"]);
});

Deno.test('splitWords() takes a backslash in double quotes only before $ ` " \\ and newline', () => {
  assert.deepEqual(
    splitWords(String.raw`"\$ \` \" \\ \n \a"`),
    [String.raw`$ ` + "`" + String.raw` " \ \n \a`],
  );
  assert.deepEqual(splitWords('"a\\\nb"'), ["ab"]);
  assert.deepEqual(splitWords(String.raw`'a\b'`), [String.raw`a\b`]);
});

Deno.test("splitWords() joins lines at a backslash", () => {
  assert.deepEqual(splitWords("a\\\nb c \\\n d"), ["ab", "c", "d"]);
  assert.deepEqual(splitWords("\\\n"), []);
});

Deno.test("splitWords() expands nothing", () => {
  assert.deepEqual(
    splitWords(`$HOME "$HOME" * ~ \`id\` $(id) a;b #c >d {e,f}`),
    [
      "$HOME",
      "$HOME",
      "*",
      "~",
      "`id`",
      "$(id)",
      "a;b",
      "#c",
      ">d",
      "{e,f}",
    ],
  );
});

Deno.test("splitWords() says where a quote or backslash is not finished", () => {
  assert.throws(() => splitWords("echo 'abc"), {
    name: "InputError",
    message: /single quote at character 6, near "echo 'abc" is not closed/,
  });
  assert.throws(() => splitWords('a "b c\\"'), {
    name: "InputError",
    message: /double quote at character 3, /,
  });
  assert.throws(() => splitWords("a b\\"), {
    name: "InputError",
    message: /Nothing follows the backslash at character 4, /,
  });
  assert.throws(() => splitWords('"a\\'), {
    name: "InputError",
    message: /double quote at character 1, /,
  });
});

Deno.test("splitWords() splits as sh does", async () => {
  const random = seededRandom(20150609);
  const pick = <T>(list: ArrayLike<T>): T => list[random(list.length)]!;
  // No newlines outside of quotes here: to sh they end a command.
  const signs = [..."abc\\\\'\"\"' \té/.=:%@!-"];
  const parts = [
    "word",
    " ",
    "\t ",
    "''",
    '""',
    "'a\nb  \\'",
    '"a\nb  \\\\"',
    '"\\$x \\`y\\` \\"z\\" \\q \'"',
    "\\\n",
    '"p\\\nq"',
    "\\'",
    '\\"',
    "\\\\",
    "\\ ",
    "'\"'",
  ];
  const lines = Array.from({ length: 600 }, (_, index) => {
    const from = index % 2 ? signs : parts;
    return Array.from({ length: random(12) }, () => pick(from)).join("");
  }).filter((line) => {
    // A shell takes a backslash at the very end for itself; here it is refused.
    const tail = /\\*$/.exec(line)?.[0] ?? "";
    return tail.length % 2 === 0;
  });

  const { stdout, success } = await new Deno.Command("sh", {
    args: [
      "-c",
      `for line; do
         sh -c "printf '%s\\0' start $line" 2>/dev/null || printf 'failed\\0'
         printf '\\1\\0'
       done`,
      "sh",
      ...lines,
    ],
  }).output();
  assert.ok(success);
  const results = new TextDecoder().decode(stdout).split("\x01\0");
  assert.equal(results.pop(), "");
  assert.equal(results.length, lines.length);
  let refused = 0;
  for (const [index, line] of lines.entries()) {
    const words = results[index]!.split("\0").slice(0, -1);
    if (words[0] === "failed") {
      refused++;
      assert.throws(() => splitWords(line), InputError, JSON.stringify(line));
    } else {
      assert.deepEqual(
        ["start", ...splitWords(line)],
        words,
        JSON.stringify(line),
      );
    }
  }
  assert.ok(refused > 50 && refused < lines.length / 2, `${refused} refused`);
});
