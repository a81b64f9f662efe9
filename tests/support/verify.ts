import { parse as parseYaml } from "@std/yaml";
import { type Report, verifyArchive } from "../../lib/verify/verify.ts";
import { unpack } from "../../lib/system/decompress.ts";

const LIMITS = { maxUnpacked: 2 ** 30, maxWindow: 2 ** 27 };

/** Verifies an archive that is in memory. */
export async function verify(archive: Uint8Array): Promise<Report> {
  const blob = new Blob([archive as Uint8Array<ArrayBuffer>]);
  return await verifyArchive(blob, {
    decompress: (chunks, compression, name) =>
      unpack(chunks, compression, name, LIMITS),
    parseYaml,
  });
}

/** The rules that an archive breaks, without notes, each once. */
export async function broken(archive: Uint8Array): Promise<string[]> {
  const { findings } = await verify(archive);
  return [
    ...new Set(
      findings.filter(({ severity }) => severity !== "note")
        .map(({ rule }) => rule),
    ),
  ];
}

/** The same as lines, for messages. */
export async function findingLines(archive: Uint8Array): Promise<string[]> {
  const { findings } = await verify(archive);
  return findings.map(({ severity, rule, entry, message }) =>
    `${severity} ${rule} ${entry}: ${message}`
  );
}
