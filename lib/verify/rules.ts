import { DOCUMENT_RULES } from "./document_rules.ts";
import { FACE_RULES } from "./face_rules.ts";
import { TAR_RULES } from "./tar_rules.ts";
import { TREE_RULES } from "./tree_rules.ts";

/** All rules by name, in the order of the documentation. */
export const RULES = {
  ...TAR_RULES,
  ...TREE_RULES,
  ...DOCUMENT_RULES,
  ...FACE_RULES,
};

/** The name of a rule. */
export type RuleName = keyof typeof RULES;

/** All rules' names, in the order of the documentation. */
export const RULE_NAMES = Object.keys(RULES) as RuleName[];
