import type { PackageType } from "./package.ts";

/** Less than 0 if `a` is older than `b`, more than 0 if it is newer, else 0. */
type Order = (a: string, b: string) => number;

/**
 * Compares two versions as the package manager does.
 *
 * @returns Less than 0 if `a` is older than `b`, more than 0 if it is newer, 0 if
 * they count as the same.
 */
export function versionOrder(type: PackageType, a: string, b: string): number {
  return ORDERS[type](a, b);
}

/** Splits digits before a colon off; there they count for more than the rest. */
function withEpoch(order: Order): Order {
  const parts = (version: string) => {
    const [, epoch = "0", rest = version] = /^(\d+):(.*)$/s.exec(version) ?? [];
    return [epoch, rest] as const;
  };
  return (a, b) => {
    const [one, two] = [parts(a), parts(b)];
    return numbers(one[0], two[0]) || order(one[1], two[1]);
  };
}

/** Splits a release after the last minus off; it counts for less. */
function withRelease(order: Order, none: string): Order {
  const parts = (version: string) => {
    const at = version.lastIndexOf("-");
    return at < 0
      ? [version, none] as const
      : [version.slice(0, at), version.slice(at + 1)] as const;
  };
  return (a, b) => {
    const [one, two] = [parts(a), parts(b)];
    return order(one[0], two[0]) || order(one[1], two[1]);
  };
}

/** deb-version(7), "Sorting algorithm". */
function debianOrder(a: string, b: string): number {
  const weight = (text: string, at: number) => {
    const sign = text[at];
    if (sign === undefined || isDigit(sign)) return 0;
    if (sign === "~") return -1;
    return /[A-Za-z]/.test(sign)
      ? sign.charCodeAt(0)
      : sign.charCodeAt(0) + 0x10000;
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    while (
      (i < a.length && !isDigit(a[i]!)) || (j < b.length && !isDigit(b[j]!))
    ) {
      const difference = weight(a, i) - weight(b, j);
      if (difference !== 0) return difference;
      if (i < a.length && !isDigit(a[i]!)) i++;
      if (j < b.length && !isDigit(b[j]!)) j++;
    }
    const [one, two] = [digitsAt(a, i), digitsAt(b, j)];
    const difference = numbers(one, two);
    if (difference !== 0) return difference;
    i += one.length;
    j += two.length;
  }
  return 0;
}

/** rpm's rpmvercmp: runs of digits or letters; `~` is less, `^` more than none. */
function rpmOrder(a: string, b: string): number {
  const runs = (text: string) => text.match(/\d+|[A-Za-z]+|[~^]/g) ?? [];
  const [one, two] = [runs(a), runs(b)];
  for (let i = 0;; i++) {
    const [x, y] = [one[i], two[i]];
    if (x === undefined && y === undefined) return 0;
    if (x === "~" || y === "~") {
      if (x !== y) return x === "~" ? -1 : 1;
      continue;
    }
    if (x === "^" || y === "^") {
      if (x === y) continue;
      // A version that ends here is older, one that goes on is newer.
      if (x === undefined) return -1;
      if (y === undefined) return 1;
      return x === "^" ? -1 : 1;
    }
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const isNumber = isDigit(x[0]!);
    // Digits are newer than letters.
    if (isNumber !== isDigit(y[0]!)) return isNumber ? 1 : -1;
    const difference = isNumber ? numbers(x, y) : texts(x, y);
    if (difference !== 0) return difference;
  }
}

/** Suffixes of apk's versions: the first four come before a version without. */
const SUFFIXES = [
  "alpha",
  "beta",
  "pre",
  "rc",
  "",
  "cvs",
  "svn",
  "git",
  "hg",
  "p",
];

/** apk-version(5): `1.2.3b_rc4-r5`. */
function apkOrder(a: string, b: string): number {
  const parts = (version: string) => {
    const [, digits = "", letter = "", suffixes = "", , release = "0"] =
      /^(\d+(?:\.\d+)*)([a-z]?)((?:_[a-z]+\d*)*)(~[0-9a-f]+)?(?:-r(\d+))?$/
        .exec(version) ?? [];
    return {
      isValid: digits !== "",
      digits: digits.split("."),
      letter,
      suffixes: suffixes.split("_").slice(1),
      release,
    };
  };
  const [one, two] = [parts(a), parts(b)];
  // What is no version of apk's comes first.
  if (!one.isValid || !two.isValid) {
    return Number(one.isValid) - Number(two.isValid) || texts(a, b);
  }
  return apkDigits(one.digits, two.digits) || texts(one.letter, two.letter) ||
    apkSuffixes(one.suffixes, two.suffixes) ||
    numbers(one.release, two.release);
}

function apkDigits(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length || i < b.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    // After the first dot, a leading zero makes it a fraction.
    const isFraction = i > 0 && (x[0] === "0" || y[0] === "0");
    const difference = isFraction ? texts(x, y) : numbers(x, y);
    if (difference !== 0) return difference;
  }
  return 0;
}

function apkSuffixes(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length || i < b.length; i++) {
    const [, x = "", m = "0"] = /^([a-z]*)(\d*)$/.exec(a[i] ?? "") ?? [];
    const [, y = "", n = "0"] = /^([a-z]*)(\d*)$/.exec(b[i] ?? "") ?? [];
    const difference = SUFFIXES.indexOf(x) - SUFFIXES.indexOf(y) ||
      numbers(m || "0", n || "0");
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * semver.org 2.0, and what is like it: numbers between dots; what follows a
 * minus comes before the version without; what follows a plus says nothing.
 */
function semanticOrder(a: string, b: string): number {
  const parts = (version: string) => {
    const [, main = "", pre] = /^v?([^-+]*)(?:-([^+]*))?/.exec(version) ?? [];
    return { main: main.split("."), pre: pre?.split(".") };
  };
  const [one, two] = [parts(a), parts(b)];
  return lists(one.main, two.main, "0") ||
    Number(two.pre !== undefined) - Number(one.pre !== undefined) ||
    lists(one.pre ?? [], two.pre ?? []);
}

/**
 * Python's and Ruby's versions: runs of digits and letters. Letters mean that it
 * comes before the version without, but for Python's `post`.
 */
function looseOrder(a: string, b: string): number {
  const runs = (text: string) =>
    text.toLowerCase().replace(/^v/, "").match(/\d+|[a-z]+/g) ?? [];
  const [one, two] = [runs(a), runs(b)];
  for (let i = 0; i < one.length || i < two.length; i++) {
    const [x = "0", y = "0"] = [one[i], two[i]];
    const [m, n] = [looseWeight(x), looseWeight(y)];
    const difference = m - n || (m % 3 === 0 ? numbers(x, y) : texts(x, y));
    if (difference !== 0) return difference;
  }
  return 0;
}

/** 0 for nothing, 3 for more of it, and letters below, between or above. */
function looseWeight(run: string): number {
  if (isDigit(run[0]!)) return /^0*$/.test(run) ? 0 : 3;
  return run === "post" ? 1 : run === "dev" ? -2 : -1;
}

/** @param none What is in place of an item that one list lacks. */
function lists(
  a: readonly string[],
  b: readonly string[],
  none?: string,
): number {
  for (let i = 0; i < a.length || i < b.length; i++) {
    const [x, y] = [a[i] ?? none, b[i] ?? none];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const [m, n] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    // Numbers come before words.
    const difference = Number(n) - Number(m) ||
      (m ? numbers(x, y) : texts(x, y));
    if (difference !== 0) return difference;
  }
  return 0;
}

function isDigit(sign: string): boolean {
  return sign >= "0" && sign <= "9";
}

function digitsAt(text: string, at: number): string {
  let end = at;
  while (end < text.length && isDigit(text[end]!)) end++;
  return text.slice(at, end);
}

/** Compares numbers of any length. */
function numbers(a: string, b: string): number {
  const [one, two] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  return one.length - two.length || texts(one, two);
}

function texts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const ORDERS: Record<PackageType, Order> = {
  deb: withEpoch(withRelease(debianOrder, "")),
  rpm: withEpoch(withRelease(rpmOrder, "")),
  apk: apkOrder,
  npm: semanticOrder,
  cargo: semanticOrder,
  golang: semanticOrder,
  composer: semanticOrder,
  pypi: looseOrder,
  gem: looseOrder,
};
