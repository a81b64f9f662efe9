import { parse as parseYaml } from "@std/yaml";
import { directoryFiles } from "../directory/layout_directory.ts";
import { FileError } from "../errors/file_error.ts";
import { InputError } from "../errors/input_error.ts";
import type { FileSource } from "../read/image_files.ts";
import { fromStream, release } from "../streams/source.ts";
import { unpack } from "../system/decompress.ts";
import { host } from "../system/host.ts";
import type { Input } from "../system/input.ts";
import { openInput, type RawCheck } from "../system/open_input.ts";
import { BLOCK, checksumMatches } from "../tar/block.ts";
import { NotTarError } from "../tar/not_tar_error.ts";
import type { Finding } from "../verify/finding.ts";
import { RULE_NAMES, RULES } from "../verify/rules.ts";
import {
  type Report,
  verifyArchive,
  verifyDirectory,
  type VerifyOptions,
} from "../verify/verify.ts";
import { compareClaims } from "../sign/compare_claims.ts";
import { imageClaims } from "../sign/image_claims.ts";
import { inFile, ofFile } from "./failure.ts";
import { printJson, printLines, printText, say } from "./say.ts";
import type { Parsed } from "./options.ts";
import { progressBar, unpackLimits } from "./output.ts";
import {
  goodLine,
  type GoodSignature,
  type SignatureCheck,
  signatureCheck,
} from "./signature_check.ts";
import { UsageError } from "./usage_error.ts";

/** What became of one file. */
type Outcome =
  & { file: string; signatures?: GoodSignature[] }
  & (
    | Report
    | { error: string }
  );

/**
 * Runs `ciso verify`.
 *
 * @param parsed The command line.
 * @returns The exit code: 0 if there is no finding, 1 if there is one.
 * @throws {UsageError} If the command line is wrong.
 */
export async function runVerify(parsed: Parsed): Promise<number> {
  const files = [...parsed.words, ...parsed.rest ?? []];
  if (parsed.on("rules")) {
    if (files.length > 0) throw new UsageError("--rules takes no file");
    if (parsed.on("json")) printJson({ version: 1, rules: rulesJson() });
    else printText(rulesText());
    return 0;
  }
  if (files.length === 0) {
    if (host.isTerminal(0)) {
      throw new UsageError("There is no image: give a file, or pipe one in");
    }
    files.push("-");
  }
  const names = { key: "key", keyring: "keyring" };
  const check = await signatureCheck(parsed, names);
  if (files.length > 1 && parsed.value("signature") !== undefined) {
    throw new UsageError("--signature is for one file, not for several");
  }
  const outcomes: Outcome[] = [];
  for (const file of files) {
    const outcome = await verifyOne(file, parsed, check);
    outcomes.push(outcome);
    if (!parsed.on("json")) printOutcome(outcome, parsed);
  }
  if (parsed.on("json")) {
    printJson({ version: 1, images: outcomes });
  }
  return outcomes.every(isClean) ? 0 : 1;
}

async function verifyOne(
  file: string,
  parsed: Parsed,
  check: SignatureCheck | undefined,
): Promise<Outcome> {
  const name = file === "-" ? "standard input" : file;
  const signatures: GoodSignature[] = [];
  const raw = check?.of(file, (signature) => signatures.push(signature));
  try {
    if (check && host.isDirectory(file)) throw check.refuse(file);
    const report = await verify(file, parsed, raw, signatures);
    return { file: name, ...(raw && { signatures }), ...report };
  } catch (error) {
    if (!(error instanceof InputError || error instanceof FileError)) {
      throw error;
    }
    const { message } = ofFile(name, error) as Error;
    return { file: name, ...(raw && { signatures }), error: message };
  }
}

async function verify(
  file: string,
  parsed: Parsed,
  raw: RawCheck | undefined,
  signatures: readonly GoodSignature[],
): Promise<Report> {
  const name = file === "-" ? "standard input" : file;
  const limits = unpackLimits(parsed);
  const options: VerifyOptions = {
    decompress: (chunks, compression, layer) =>
      unpack(chunks, compression, `${name}, ${layer}`, limits),
    parseYaml,
  };
  if (file !== "-" && host.isDirectory(file)) {
    return await verifyDirectory(directoryFiles(file), options);
  }
  const input = await openInput(
    file === "-" ? undefined : file,
    limits,
    raw,
  );
  try {
    const source = await wholeFile(input, parsed);
    for (const { file, claims } of signatures) {
      if (!claims) continue;
      const found = await imageClaims(source);
      inFile(file, () => compareClaims(claims, found));
    }
    const { compression } = input;
    return await verifyArchive(source, { ...options, compression });
  } finally {
    input.close();
  }
}

/** An input whose size is known: a pipe is spooled. */
async function wholeFile(input: Input, parsed: Parsed): Promise<FileSource> {
  if (input.size === undefined) {
    const bar = progressBar(parsed.on("quiet"), "reading", undefined);
    let first: Uint8Array | undefined;
    for await (const chunk of fromStream(input.stream())) {
      // What is no tar, such as a device, may have no end.
      first ??= tarStart(chunk);
      bar?.add(chunk.length);
      release(chunk);
    }
    bar?.end();
  }
  return input as FileSource;
}

/**
 * Looks at an input's first bytes.
 *
 * @throws {InputError} If a tar does not start so.
 */
function tarStart(chunk: Uint8Array): Uint8Array {
  const block = chunk.slice(0, BLOCK);
  const isWhole = block.length === BLOCK && block.some((byte) => byte !== 0);
  if (isWhole && !checksumMatches(block)) {
    const error = new NotTarError(block);
    throw new InputError(error.imageMessage, { cause: error });
  }
  return block;
}

function isClean(outcome: Outcome): boolean {
  return "findings" in outcome &&
    outcome.findings.every(({ severity }) => severity === "note");
}

function printOutcome(outcome: Outcome, parsed: Parsed): void {
  const { file } = outcome;
  if ("error" in outcome) {
    say(outcome.error);
    return;
  }
  const verbose = parsed.on("verbose");
  if (!parsed.on("quiet")) {
    const signatures = outcome.signatures ?? [];
    printLines(signatures.map((one) => `${file}: ${goodLine(one)}`));
  }
  const found = outcome.findings.filter(({ severity }) =>
    verbose || severity !== "note"
  );
  printLines(found.map((finding) => line(file, finding)));
  if (!parsed.on("quiet")) printLines(summary(outcome));
}

/** A finding as a line. */
function line(file: string, finding: Finding): string {
  const { severity, rule, entry, message, engines, remedy } = finding;
  const subject = entry ? ` ${entry}` : "";
  return `${file}: ${severity} ${rule}${subject}: ${message}; hurts ` +
    `${engines.join(", ")}; ${remedy}`;
}

function summary(outcome: Report & { file: string }): string[] {
  const { file, engines, faces } = outcome;
  const takers = engines.filter(({ takes }) => takes)
    .map(({ engine }) => engine);
  const lines = [
    `${file}: ${isClean(outcome) ? "no findings" : "findings"}; faces ` +
    `${faces.join(", ")}; taken by ${takers.join(", ") || "no engine"}`,
  ];
  const refusers = new Map<string, string[]>();
  for (const { engine, takes, reasons } of engines) {
    if (takes) continue;
    const reason = reasons.join("; ");
    refusers.set(reason, [...refusers.get(reason) ?? [], engine]);
  }
  for (const [reason, names] of refusers) {
    lines.push(`${file}: not taken by ${names.join(", ")}: ${reason}`);
  }
  for (const older of new Set(engines.map(({ older }) => older))) {
    if (older !== undefined) lines.push(`${file}: ${older}`);
  }
  return lines;
}

function rulesText(): string {
  return RULE_NAMES.map((name) => {
    const { severity, hurts, rule, why, remedy } = RULES[name];
    const whom = hurts === "all" ? "all engines" : hurts.join(", ");
    return `${name} (${severity})\n  ${rule}\n  Hurts ${whom}: ${why}\n` +
      `  Remedy: ${remedy}.\n`;
  }).join("\n");
}

function rulesJson(): object[] {
  return RULE_NAMES.map((name) => ({ name, ...RULES[name] }));
}
