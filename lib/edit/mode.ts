/** Makes a file's new permission bits of its old ones. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const ALL = 0o7777;
const SET_IDS = 0o6000;
const EXECUTE = 0o111;

/** Bits of the classes of users: the owner, the group, others, all. */
const WHO = new Map([["u", 0o4700], ["g", 0o2070], ["o", 0o1007], ["a", ALL]]);

/** Bits of the permissions, for all classes. */
const PERMISSIONS = new Map([
  ["r", 0o444],
  ["w", 0o222],
  ["x", EXECUTE],
  ["s", SET_IDS],
  ["t", 0o1000],
]);

/** Where a class has its read, write and execute bits. */
const SHIFT = new Map([["u", 6], ["g", 3], ["o", 0]]);

const CLAUSE = /^[ugoa]*(?:[-+=](?:[ugo]|[rwxXst]*))+$/;

/**
 * Reads a mode as GNU chmod does: octal digits, or clauses such as `a+x` and
 * `u=rwX,go=rX`. Without a class a clause is for all; no umask counts. A
 * directory keeps its set-user-ID and set-group-ID bits, unless the mode names
 * them or has five digits.
 *
 * @param text The mode.
 * @returns What it makes of a mode, or `undefined` if it is none.
 */
export function parseMode(text: string): ModeChange | undefined {
  if (/^[0-7]{1,5}$/.test(text)) {
    const bits = parseInt(text, 8);
    if (bits > ALL) return undefined;
    const kept = text.length < 5 ? SET_IDS & ~bits : 0;
    return (mode, isDirectory) => isDirectory ? bits | mode & kept : bits;
  }
  const clauses = text.split(",");
  if (!clauses.every((clause) => CLAUSE.test(clause))) return undefined;
  const steps = clauses.flatMap(stepsOf);
  return (mode, isDirectory) =>
    steps.reduce((now, step) => step(now, isDirectory), mode & ALL);
}

/** The changes of one clause, such as `go=rX` or `u+x-w`. */
function stepsOf(clause: string): ModeChange[] {
  const classes = /^[ugoa]*/.exec(clause)![0];
  const affected = [...classes || "a"]
    .reduce((bits, who) => bits | WHO.get(who)!, 0);
  return [...clause.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map((
    [, operator, letters],
  ) => stepOf(affected, operator!, letters!));
}

function stepOf(
  affected: number,
  operator: string,
  letters: string,
): ModeChange {
  const shift = SHIFT.get(letters);
  const fixed = [...letters]
    .reduce((bits, letter) => bits | (PERMISSIONS.get(letter) ?? 0), 0);
  return (mode, isDirectory) => {
    const omitted = isDirectory ? SET_IDS & ~fixed : 0;
    let value = fixed;
    if (shift !== undefined) value = (mode >> shift & 7) * EXECUTE;
    if (letters.includes("X") && (isDirectory || mode & EXECUTE)) {
      value |= EXECUTE;
    }
    value &= affected & ~omitted;
    if (operator === "+") return mode | value;
    if (operator === "-") return mode & ~value;
    return mode & (~affected | omitted) | value;
  };
}
