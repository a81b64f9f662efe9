import { shown } from "../errors/shown.ts";
import type { Findings } from "./finding.ts";
import type { RuleName } from "./rules.ts";

/** Which tree the entries make. */
export type TreeKind =
  /** What the archive itself holds beside rootfs/. */
  | "archive"
  | "rootfs"
  | "layer";

/** Notes which entries of one tree break which rules. */
export class TreeFindings {
  readonly kind: TreeKind;
  readonly #findings: Findings;
  readonly #where: string;
  /** Rules that one entry is enough for, and has been noted for. */
  readonly #noted = new Set<RuleName>();

  /**
   * @param where What messages add to an entry, such as " in layer 1".
   */
  constructor(kind: TreeKind, findings: Findings, where: string) {
    this.kind = kind;
    this.#findings = findings;
    this.#where = where;
  }

  /** Notes that an entry breaks a rule. */
  add(rule: RuleName, path: Uint8Array | string, message: string): void {
    const quoted = shown(path);
    const entry = this.kind === "rootfs"
      ? `"rootfs/${quoted.slice(1)}`
      : quoted + this.#where;
    this.#findings.add(rule, entry, message);
  }

  /** Notes the first entry that breaks a rule, and no other one. */
  once(rule: RuleName, path: Uint8Array, message: string): void {
    if (this.#noted.has(rule)) return;
    this.#noted.add(rule);
    this.add(rule, path, message);
  }
}
