import { counted } from "../errors/counted.ts";
import { shown } from "../errors/shown.ts";
import type { Tally } from "../edit/edits.ts";
import type { EditPlan } from "./edit_plan.ts";

/** What each edit does to an entry, for `-v`. */
const DOES = new Map([
  ["exclude", "left out"],
  ["strip-components", "shortened or left out"],
  ["remove", "removed"],
  ["add", "added"],
  ["chmod", "got another mode"],
  ["owner", "got another owner"],
  ["mtime", "got another time"],
  ["clamp-mtime", "got that time"],
  ["sort", "got another place or plain headers"],
]);

/** What each edit has done, for `-v`: one sentence a line. */
export function* editReport(tallies: readonly Tally[]): Generator<string> {
  for (const tally of tallies) {
    if (tally.entries === 0) continue;
    yield `${optionOf(tally)}: ${counted(tally.entries, "entry", "entries")} ${
      DOES.get(tally.edit)
    }`;
  }
}

/** Notes on edits that most likely meant something that is not there. */
export function* editNotes(
  { edits, tallies, excludes, ignoreFile }: EditPlan,
): Generator<string> {
  const { exclude } = edits;
  const unused = new Set(exclude?.rules.unused);
  for (const pattern of new Set(excludes)) {
    if (unused.has(pattern)) {
      yield `--exclude ${shown(pattern)} matches nothing`;
    }
  }
  for (const tally of tallies) {
    if (tally.entries > 0) continue;
    const reason = reasonOf(tally);
    if (reason) yield `${optionOf(tally)} ${reason}`;
    if (tally.edit === "exclude" && ignoreFile !== undefined) {
      yield `--ignore-file ${shown(ignoreFile)} leaves nothing out`;
    }
  }
}

/**
 * Why an edit has changed nothing, where that may be a mistake. What is already as
 * an edit wants it, is no mistake.
 */
function reasonOf({ edit, met }: Tally): string | undefined {
  switch (edit) {
    case "remove":
      return "removes nothing: there is no such path";
    case "chmod":
      return met ? undefined : "matches nothing";
    case "add":
      return "adds nothing: the directory is empty";
    case "strip-components":
      return "changes nothing";
  }
  return undefined;
}

function optionOf({ edit, value }: Tally): string {
  return `--${edit}${value === undefined ? "" : ` ${shown(value)}`}`;
}
