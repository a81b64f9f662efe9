// Run by scripts/torture: torture.ts MINUTES [SEED].

import { bundleRuntimes, type Runtime } from "./runtimes.ts";
import { seededRandom } from "./random.ts";
import { run } from "./run.ts";

/** What a run of {@linkcode torture} came to. */
export interface TortureResult {
  /** How many runs of ciso there were, and how many of each kind. */
  tried: number;
  kinds: Map<string, number>;
  /** Runs that ended well in spite of all. */
  done: number;
  /** What could not be tried here, and why. */
  missing: string[];
  failure?: string;
}

/** One way to use ciso. */
interface Job {
  name: string;
  /** ciso's arguments without the output. */
  args: string[];
  /** A file that ciso reads through a pipe. */
  stdin?: string;
  /** The file that it reads by name, which may change meanwhile. */
  input?: string;
  /** Whether the output is a directory. */
  isDirectory?: boolean;
}

/** What befell a run. */
interface Outcome {
  code: number;
  stderr: string;
}

const TROUBLES = ["signal", "full", "closed", "slow", "changed"] as const;
type Trouble = typeof TROUBLES[number];
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const;
const CODES: Record<string, number> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGKILL: 137,
  SIGTERM: 143,
};
/** When the inputs were changed, in seconds since 1970. */
const TIME = 1_000_000_000;
/** Seconds that a run may take, on a machine with much else to do. */
const LIMIT = 120;

/**
 * Runs ciso while bad things happen: signals at random moments, a full disk,
 * readers that go away or are slow, inputs that change. Afterwards no half-written
 * file may have its name, no temporary file may be left, and the exit code must
 * say what happened.
 *
 * @param seed Decides all that is random but the machine's own pace.
 * @param seconds How long to go on.
 */
export async function torture(
  seed: number,
  seconds: number,
): Promise<TortureResult> {
  const folder = await Deno.makeTempDir({ prefix: "isoc-torture-" });
  const runtimes = await bundleRuntimes(["--allow-run=find,zstd,mknod"]);
  const usable = runtimes.filter(({ missing }) => missing === undefined);
  const missing = runtimes.flatMap(({ name, missing }) =>
    missing === undefined ? [] : [`${name}: ${missing}`]
  );
  const trial = new Trial(folder, seededRandom(seed));
  const result: TortureResult = {
    tried: 0,
    kinds: new Map(),
    done: 0,
    missing,
  };
  try {
    await trial.prepare(usable[0]!);
    if (!trial.hasDisk) missing.push("full: no tmpfs can be mounted");
    const end = performance.now() + seconds * 1000;
    for (let i = 0; performance.now() < end && !result.failure; i++) {
      const runtime = usable[i % usable.length]!;
      const { name, outcome, failure } = await trial.once(runtime);
      result.tried++;
      result.kinds.set(name, (result.kinds.get(name) ?? 0) + 1);
      if (outcome.code === 0) result.done++;
      if (failure) {
        result.failure =
          `${name}, under ${runtime.name}: ${failure}; exit code ` +
          `${outcome.code}, ${JSON.stringify(outcome.stderr)}`;
      }
    }
    return result;
  } finally {
    await trial.clear();
  }
}

class Trial {
  hasDisk = false;
  readonly #folder: string;
  readonly #random: (below: number) => number;
  #jobs: Job[] = [];
  /** What each job makes when nothing happens, and of a changed input. */
  readonly #expected = new Map<string, string>();
  /** Milliseconds that a run takes. */
  #pace = 500;

  constructor(folder: string, random: (below: number) => number) {
    this.#folder = folder;
    this.#random = random;
  }

  /** Makes the inputs, and what they must become. */
  async prepare({ command }: Runtime): Promise<void> {
    const at = (name: string) => `${this.#folder}/${name}`;
    for (const name of ["tree/bin", "tmp", "out", "disk"]) {
      await Deno.mkdir(at(name), { recursive: true });
    }
    const noise = new Uint8Array(1 << 20);
    for (let i = 0; i < noise.length; i++) noise[i] = this.#random(256);
    await Deno.writeFile(at("tree/noise"), noise);
    await Deno.utime(at("tree/noise"), TIME, TIME);
    await Deno.writeFile(at("tree/zeros"), new Uint8Array(6 << 20));
    await Deno.writeTextFile(at("tree/bin/sh"), "#!\n", { mode: 0o755 });
    await run("tar", [
      "--sort=name",
      "-C",
      at("tree"),
      "-cf",
      at("a.tar"),
      ".",
    ]);
    await run("gzip", ["-k1", at("a.tar")]);
    await run("zstd", ["-qk", at("a.tar")]);
    const build = ["-q", "-t", "isoc/hello", "--created=0", "--cmd=/bin/sh"];
    await run(command[0]!, [
      ...[...command.slice(1), ...build],
      ...["-o", at("a.isoc"), at("a.tar")],
    ]);
    const files = ["a.tar", "a.tar.gz", "a.tar.zst"].map((file): Job => ({
      name: file === "a.tar" ? "file" : `compressed ${file.slice(6)}`,
      args: [...build, at(file)],
      input: at(file),
    }));
    const exported = ["export", "-q", at("a.isoc"), "--as"];
    this.#jobs = [
      ...files,
      { name: "pipe", args: [...build, "-"], stdin: at("a.tar") },
      {
        name: "directory",
        args: [...build, at("tree")],
        input: at("tree/noise"),
      },
      {
        name: "convert",
        args: ["convert", ...build, at("a.isoc")],
        input: at("a.isoc"),
      },
      { name: "export", args: [...exported, "oci"], input: at("a.isoc") },
      { name: "unpack", args: [...exported, "bundle"], isDirectory: true },
    ];
    for (const job of this.#jobs) {
      const begin = performance.now();
      const { code, stderr } = await this.#run(command, job, at("out/made"));
      if (code !== 0) throw new Error(`${job.name}: ${stderr}`);
      this.#pace = performance.now() - begin;
      this.#expected.set(job.name, await sum(at("out/made")));
      await Deno.remove(at("out/made"), { recursive: true });
    }
    const { success } = await new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at("disk")],
      stderr: "null",
    }).output();
    this.hasDisk = success;
  }

  async clear(): Promise<void> {
    if (this.hasDisk) {
      await new Deno.Command("umount", { args: [`${this.#folder}/disk`] })
        .output();
    }
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** One run with one trouble. */
  async once(
    { command }: Runtime,
  ): Promise<{ name: string; outcome: Outcome; failure?: string }> {
    const job = this.#jobs[this.#random(this.#jobs.length)]!;
    const possible = TROUBLES.filter((trouble) =>
      trouble === "full"
        ? this.hasDisk
        : trouble === "changed"
        ? job.input !== undefined
        : trouble === "signal" || !job.isDirectory
    );
    const trouble = possible[this.#random(possible.length)]!;
    const name = `${job.name} ${trouble}`;
    const outcome = await this.#suffer(command, job, trouble);
    const failure = await this.#fault(job, trouble, outcome);
    return { name, outcome, ...(failure !== undefined && { failure }) };
  }

  async #suffer(
    command: string[],
    job: Job,
    trouble: Trouble,
  ): Promise<Outcome & { signal?: string }> {
    const out = `${this.#folder}/out/made`;
    switch (trouble) {
      case "signal": {
        const signal = SIGNALS[this.#random(SIGNALS.length)]!;
        const after = this.#random(Math.ceil(this.#pace * 1.2));
        const outcome = await this.#run(command, job, out, (child) => {
          setTimeout(() => {
            try {
              child.kill(signal);
            } catch {
              // It has ended already.
            }
          }, after);
        });
        return { ...outcome, signal };
      }
      case "full":
        return await this.#run(command, job, `${this.#folder}/disk/made`);
      case "closed":
      case "slow": {
        const reader = trouble === "slow"
          ? "sleep 0.3; head -c 100000; sleep 0.2; cat"
          : `head -c ${this.#random(3 << 20)} >/dev/null; exit 0; cat`;
        return await this.#run(command, job, out, undefined, reader);
      }
      case "changed": {
        const change = this.#changing(job.input!);
        const outcome = await this.#run(command, job, out);
        await change();
        return outcome;
      }
    }
  }

  /** Changes a file in a moment; gives a function that puts it right again. */
  #changing(path: string): () => Promise<void> {
    const old = Deno.readFileSync(path);
    const after = this.#random(Math.ceil(this.#pace));
    const at = this.#random(old.length - 10);
    const timer = setTimeout(() => {
      const file = Deno.openSync(path, { write: true });
      file.seekSync(at, Deno.SeekMode.Start);
      file.writeSync(Uint8Array.of(old[at]! ^ 1));
      file.close();
    }, after);
    return async () => {
      clearTimeout(timer);
      await Deno.writeFile(path, old);
      await Deno.utime(path, TIME, TIME);
    };
  }

  async #run(
    command: string[],
    { args, stdin, isDirectory }: Job,
    out: string,
    watch?: (child: Deno.ChildProcess) => void,
    reader?: string,
  ): Promise<Outcome> {
    const output = reader === undefined
      ? ["-o", isDirectory ? `${out}/` : out]
      : [];
    // `exec`, so that signals reach ciso; a pipeline needs its own shell.
    const line = reader === undefined
      ? 'exec "$@"'
      : `"$@" | { ${reader}; } >"$OUT"; exit \${PIPESTATUS[0]}`;
    // Signals go to the shell's process, which is ciso by then.
    const limit = watch ? [] : ["timeout", "-s", "KILL", `${LIMIT}`];
    const [program, ...rest] = [
      ...[...limit, "bash", "-c", line, "bash"],
      ...[...command, ...args, ...output],
    ];
    const started = new Deno.Command(program!, {
      args: rest,
      env: { TMPDIR: `${this.#folder}/tmp`, OUT: out },
      stdin: stdin ? "piped" : "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    watch?.(started);
    const result = started.output();
    if (stdin) {
      const file = await Deno.open(stdin);
      await file.readable.pipeTo(started.stdin).catch(() => {});
    }
    const { code, stderr } = await result;
    return { code, stderr: new TextDecoder().decode(stderr) };
  }

  /** What is wrong after a run, if anything. */
  async #fault(
    job: Job,
    trouble: Trouble,
    { code, stderr, signal }: Outcome & { signal?: string },
  ): Promise<string | undefined> {
    const place = trouble === "full" ? "disk" : "out";
    const folder = `${this.#folder}/${place}`;
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    const made = names.includes("made")
      ? await sum(`${folder}/made`)
      : undefined;
    for (const name of names) {
      await Deno.remove(`${folder}/${name}`, { recursive: true });
    }
    const spools = [...Deno.readDirSync(`${this.#folder}/tmp`)];
    for (const { name } of spools) {
      await Deno.remove(`${this.#folder}/tmp/${name}`, { recursive: true });
    }
    // Nothing can be removed by who is killed.
    const isKilled = signal === "SIGKILL";
    const left = names.filter((name) => name !== "made");
    if (left.length + spools.length > 0 && !isKilled) {
      return `left: ${[...left, ...spools.map(({ name }) => name)].join(", ")}`;
    }
    if (/\n {4}at |bug in ciso|report/.test(stderr) || code === 70) {
      return "an internal error";
    }
    if (code === 137 && !isKilled) return "it hangs";
    const isWhole = made === this.#expected.get(job.name);
    if (code === 0) return isWhole ? undefined : codeZero(trouble, made);
    if (trouble === "slow") return "a slow reader is no failure";
    if (trouble === "signal") {
      if (code !== CODES[signal!]) return `not the code of ${signal}`;
      return made === undefined || isWhole ? undefined : "half an output";
    }
    if (trouble === "closed") return code === 141 ? undefined : "not 141";
    if (made !== undefined) return "a refused output has its name";
    const words = trouble === "full"
      ? /no space left/
      : /changed while|damaged|no tar|checksum|digest|again/;
    if (code !== 1) return "not 1";
    return words.test(stderr) ? undefined : "other words than expected";
  }
}

/** What is wrong about an output that is not the usual one, at exit code 0. */
function codeZero(
  trouble: Trouble,
  made: string | undefined,
): string | undefined {
  // A reader that goes away after the last byte; an input that had changed before
  // it was read.
  if (trouble === "closed") return undefined;
  if (trouble === "changed" && made !== undefined) return undefined;
  return "exit code 0 without a whole output";
}

/** A digest of a file, or of all files of a directory and their names. */
async function sum(path: string): Promise<string> {
  const line = '[[ -d $1 ]] || exec sha256sum <"$1"; cd "$1" && ' +
    "find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum";
  return (await run("bash", ["-c", line, "bash", path])).slice(0, 64);
}

if (import.meta.main) {
  const [minutes = "3", seed = String(Date.now() % 2 ** 31)] = Deno.args;
  const { tried, kinds, done, missing, failure } = await torture(
    Number(seed),
    Number(minutes) * 60,
  );
  for (const [kind, count] of [...kinds].sort()) {
    console.log(`${count}\t${kind}`);
  }
  console.log(`seed ${seed}: ${tried} runs, ${done} of them to their end`);
  for (const line of missing) console.log(`not tried: ${line}`);
  if (failure) {
    console.log(`failed: ${failure}`);
    Deno.exit(1);
  }
}
