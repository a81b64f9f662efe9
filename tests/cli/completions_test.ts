// Completions, typed into real shells, and the manual, shown by a real man.

import assert from "node:assert/strict";
import { choiceOf, optionsOf } from "../../lib/cli/command.ts";
import { PROGRAM } from "../../lib/cli/commands.ts";
import { manualName, manualPage } from "../../lib/cli/manual.ts";
import { FACES } from "../../lib/image/face.ts";
import { ciso, ROOT, temporary } from "../support/ciso.ts";
import { isInstalled } from "../support/run.ts";

/** How each shell starts with the completions, and with a ciso that shows its words. */
const SHELLS: Record<string, (script: string) => string[]> = {
  bash: (script) => [
    ...["bash", "--noprofile", "--rcfile"],
    rc(
      script,
      `bind 'set show-all-if-ambiguous on'; bind 'set enable-bracketed-paste off'
       bind 'set page-completions off'; bind 'set completion-query-items 0'
       ciso() { printf '<%s>' "$@"; }
       . ${script}; PS1='READY> '`,
    ),
    "-i",
  ],
  zsh: (script) => [
    ...["zsh", "-d", "-f", "-i", "-c"],
    `ZDOTDIR=${folder(script)} exec zsh -d -i; # ${
      rc(
        script,
        `autoload -Uz compinit; compinit -D; unset zle_bracketed_paste
         setopt auto_list; LISTMAX=1000; zstyle ':completion:*' menu no
         ciso() { printf '<%s>' "$@" }
         . ${script}; PS1='READY> '`,
        ".zshrc",
      )
    }`,
  ],
  fish: (script) => [
    ...["fish", "--no-config", "-i", "-C"],
    `function ciso; printf '<%s>' $argv; end
     function fish_prompt; echo 'READY> '; end
     source ${script}`,
  ],
};

function folder(script: string): string {
  return script.slice(0, script.lastIndexOf("/"));
}

function rc(script: string, text: string, name = "rc"): string {
  const path = `${folder(script)}/${name}`;
  Deno.writeTextFileSync(path, text);
  return path;
}

/** Types keys into a shell; each line is dealt with before the next one. */
async function type(shell: string, keys: string[]): Promise<string[]> {
  await using home = await temporary();
  for (const name of ["rootfs.tar", "saved image.tar"]) {
    await Deno.writeTextFile(`${home.path}/${name}`, "");
  }
  const script = `${home.path}/ciso.${shell}`;
  const { code, stdout, stderr } = await ciso(["completions", shell]);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  await Deno.writeTextFile(script, stdout);
  const child = new Deno.Command("python3", {
    args: [`${ROOT}/tests/support/type_keys.py`, ...SHELLS[shell]!(script)],
    cwd: home.path,
    env: { HOME: home.path, TERM: "xterm", LC_ALL: "C.UTF-8" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(keys)));
  await writer.close();
  const output = await child.output();
  return JSON.parse(new TextDecoder().decode(output.stdout));
}

/** What is typed and completed with TAB, and the words that the command gets. */
const UNIQUE: [keys: string, words: string[]][] = [
  ["ciso exp\t", ["export"]],
  ["ciso rootf\t-o x", ["rootfs.tar", "-o", "x"]],
  ["ciso convert sav\t", ["convert", "saved image.tar"]],
  ["ciso export --outp\tx --as bun\t", [
    "export",
    "--output",
    "x",
    "--as",
    "bundle",
  ]],
  ["ciso export --as docker-\t-o x", [
    "export",
    "--as",
    "docker-v1",
    "-o",
    "x",
  ]],
  ["ciso load --engine pod\t", ["load", "--engine", "podman"]],
  ["ciso load --dry\t", ["load", "--dry-run"]],
  ["ciso --no-h\t", ["--no-healthcheck"]],
  ["ciso build --layou\tcl\t", ["build", "--layout", "classic"]],
  ["ciso completions fi\t", ["completions", "fish"]],
  ["ciso help exit\t", ["help", "exit-codes"]],
  ["ciso -t x --env-file rootf\t", ["-t", "x", "--env-file", "rootfs.tar"]],
];

/** What is offered where there are several answers. */
const LISTS: [keys: string, offered: readonly string[]][] = [
  ["ciso \t\t", PROGRAM.commands.map(({ name }) => name)],
  ["ciso export --as \t\t", [...FACES, "rootfs", "isoc"]],
  ["ciso build --faces docker,o\t", ["docker,oci"]],
  ["ciso load --engine \t\t", ["docker", "podman", "nerdctl", "incus"]],
  ["ciso export --\t\t", ["--as", "--output", "--max-unpacked", "--version"]],
  ["ciso completions \t\t", ["bash", "zsh", "fish"]],
];

for (const shell of Object.keys(SHELLS)) {
  Deno.test({
    name: `TAB completes commands, options, values and files in ${shell}`,
    ignore: !isInstalled(shell) || !isInstalled("python3"),
    async fn() {
      const keys = [
        ...UNIQUE.flatMap(([keys]) => [keys, "\r"]),
        // Ctrl-C gives up the line.
        ...LISTS.flatMap(([keys]) => [keys, "\x03"]),
      ];
      const shown = await type(shell, keys);
      UNIQUE.forEach(([keys, words], i) => {
        // zsh puts a value into the option's own word.
        const text = plain(shown[2 * i + 1]!).replaceAll("=", "><");
        const expected = words.map((word) => `<${word}>`).join("");
        assert.ok(text.includes(expected), `${keys}: ${text}`);
      });
      LISTS.forEach(([keys, offered], i) => {
        const text = plain(shown[2 * (UNIQUE.length + i)]!);
        for (const word of offered) {
          // zsh inserts what a list of values has in common without its head.
          const part = shell === "zsh" ? word.replace(/^.*,/, "") : word;
          assert.ok(text.includes(part), `${keys}: ${word} is not in ${text}`);
        }
      });
    },
  });
}

/** What a terminal shows, without the codes that move and colour. */
function plain(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>()][A-Z0-9]?)/g,
    "",
  );
}

Deno.test("completions know every option and value of the table", async () => {
  for (const shell of Object.keys(SHELLS)) {
    const { stdout } = await ciso(["completions", shell]);
    for (const command of PROGRAM.commands) {
      assert.ok(stdout.includes(command.name));
      for (const option of optionsOf(command)) {
        assert.ok(stdout.includes(option.name), `${shell}: ${option.name}`);
        const choice = choiceOf(option);
        if (!("values" in choice)) continue;
        assert.ok(stdout.includes(choice.values.join(" ")), option.name);
      }
    }
  }
});

Deno.test("ciso completions refuses other shells", async () => {
  for (const args of [[], ["tcsh"], ["bash", "zsh"], ["constructor"]]) {
    const { code, stdout, stderr } = await ciso(["completions", ...args]);
    assert.match(stderr, /takes one of bash, zsh, fish/);
    assert.equal(code, 2);
    assert.equal(stdout, "");
  }
});

Deno.test({
  name: "man shows every page of the manual without a warning",
  ignore: !isInstalled("man") || !isInstalled("groff"),
  async fn() {
    await using folder = await temporary();
    const made = await ciso(["help", "--man", "-o", folder.path]);
    assert.equal(made.stderr, "");
    for (const command of [undefined, ...PROGRAM.commands]) {
      const path = `${folder.path}/${manualName(command)}`;
      assert.equal(await Deno.readTextFile(path), manualPage(PROGRAM, command));
      for (const locale of ["C", "C.UTF-8"]) {
        const { stdout, stderr, code } = await new Deno.Command("man", {
          args: ["--warnings=w", "-l", path],
          env: { LC_ALL: locale, MANPAGER: "cat", MANWIDTH: "80" },
        }).output();
        const text = new TextDecoder();
        assert.equal(text.decode(stderr), "", path);
        assert.equal(code, 0);
        // A terminal without colours prints bold letters twice.
        // deno-lint-ignore no-control-regex
        const page = text.decode(stdout).replace(/.\u0008/g, "");
        if (!command) continue;
        for (const { name } of optionsOf(command)) {
          assert.ok(page.includes(`--${name}`), `${path}: ${name}`);
        }
      }
    }
  },
});

Deno.test("ciso help --man prints a page, and refuses what has none", async () => {
  const { stdout } = await ciso(["help", "--man", "load"]);
  const command = PROGRAM.commands.find(({ name }) => name === "load");
  assert.equal(stdout, manualPage(PROGRAM, command));
  for (
    const args of [
      ["--man", "nothing"],
      ["-o", "/tmp"],
      ["--man", "load", "-o", "/tmp"],
    ]
  ) {
    const { code, stdout } = await ciso(["help", ...args]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
  }
});
