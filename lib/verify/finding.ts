import { type EngineName, enginesHurt } from "./engines.ts";
import type { Severity } from "./rule.ts";
import { type RuleName, RULES } from "./rules.ts";
import type { Face } from "../image/face.ts";

/** Something that a rule of the formats forbids. */
export interface Finding {
  severity: Severity;
  rule: RuleName;
  /** What is at fault, quoted; empty if it is the whole file. */
  entry: string;
  /** What is wrong, without a full stop. */
  message: string;
  /** The engines that it hurts. */
  engines: EngineName[];
  /** What to do about it, without a full stop. */
  remedy: string;
}

/** Findings of one rule that are named one by one. */
const MOST = 20;

/** Collects findings: those that hurt an engine that reads the archive. */
export class Findings {
  readonly #all: Finding[] = [];
  readonly #counts = new Map<RuleName, number>();
  /** The faces that the archive has; all until it is known. */
  faces: ReadonlySet<Face> | undefined;

  /**
   * Notes that a rule is broken.
   *
   * @param entry What is at fault, as a message shows it.
   */
  add(rule: RuleName, entry: string, message: string): void {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count > MOST) return;
    const { severity, remedy } = RULES[rule];
    this.#all.push({ severity, rule, entry, message, engines: [], remedy });
  }

  /** All findings, errors first; those that hurt no engine here are left out. */
  list(): Finding[] {
    const found = this.#all.flatMap((finding) => {
      const engines = enginesHurt(RULES[finding.rule].hurts, this.faces);
      return engines.length > 0 ? [{ ...finding, engines }] : [];
    });
    for (const [rule, count] of this.#counts) {
      if (count <= MOST) continue;
      const last = found.findLast((finding) => finding.rule === rule);
      if (!last) continue;
      found.push({
        ...last,
        entry: "",
        message: `${count - MOST} more findings of this rule`,
      });
    }
    const order = ["error", "warning", "note"];
    return found.sort((a, b) =>
      order.indexOf(a.severity) - order.indexOf(b.severity)
    );
  }
}
