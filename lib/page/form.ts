import { InputError } from "../errors/input_error.ts";
import { shown } from "../errors/shown.ts";
import { isRefusal } from "../errors/refusal.ts";
import type { ArchiveOptions } from "../build/isoc.ts";
import type { IsocDescription } from "../build/created.ts";
import { pairLines, pairs } from "../cli/pairs.ts";
import { wordsOf } from "../cli/words.ts";
import { processConfig } from "../formats/process_config.ts";
import { goPlatform } from "../formats/values/platform.ts";
import { parseRfc3339, rfc3339 } from "../formats/values/time.ts";
import { parseUser } from "../formats/values/user.ts";
import { FACES } from "../image/face.ts";
import type { ImageFields } from "../image/image.ts";
import { parseNames } from "../image/name.ts";
import { utf8 } from "../streams/bytes.ts";

/** What the user has filled in: texts by the names of the page's fields. */
export interface Form {
  /** A field's text; "" if it is empty. */
  text(field: string): string;
  /** Whether a box is checked. */
  isOn(field: string): boolean;
}

/** A field holds what no image can have; the message says why. */
export class FieldError extends Error {
  override name = "FieldError";
  /** The field's name. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/**
 * Makes the image description that a form asks for, the same as the command line
 * makes of the same options.
 *
 * @throws {FieldError} If a field is missing or malformed.
 */
export function descriptionOf(form: Form): IsocDescription {
  const read = <T>(field: string, of: (text: string) => T) =>
    inField(field, () => of(form.text(field)));
  const names = read("name", (text) => {
    const names = text.split(/[\s,]+/).filter(Boolean);
    if (names.length === 0) {
      throw new InputError("A name is needed, such as isoc/hello:1.0");
    }
    parseNames(names);
    return names;
  });
  const entrypoint = read("entrypoint", wordsOrNone);
  const command = read("command", (text) => {
    const words = wordsOrNone(text);
    if (words || entrypoint) return words;
    throw new InputError("A command is needed, such as /bin/sh");
  });
  const fields = (field: string, of: (text: string) => ImageFields) =>
    read(field, (text) => {
      const value = of(text);
      processConfig({ ...value, names: [], created: 0, architecture: "" });
      return value;
    });
  return {
    names,
    command,
    entrypoint,
    ...fields("env", (text) => ({ env: pairLines(utf8(text)).map(withValue) })),
    ...fields("workdir", (text) => ({ workdir: line(text) })),
    user: read("user", (text) => {
      const user = line(text);
      parseUser(user);
      return user;
    }),
    ...fields("labels", (text) => ({ labels: pairs(pairLines(utf8(text))) })),
    ...fields("ports", (text) => ({ exposedPorts: list(text) })),
    ...fields("volumes", (text) => ({ volumes: lines(text) })),
    ...fields("signal", (text) => ({ stopSignal: line(text) })),
    author: line(form.text("author")),
    created: read("created", time),
    ...read("platform", (text) => line(text) ? goPlatform(text.trim()) : {}),
  };
}

/**
 * How the archive is made, by a form.
 *
 * @throws {FieldError} If no face is chosen.
 */
export function archiveOptionsOf(form: Form): ArchiveOptions {
  const faces = FACES.filter((face) => form.isOn(`face-${face}`));
  if (faces.length === 0) {
    throw new FieldError(`face-${FACES[0]}`, "One face is needed at least");
  }
  return {
    faces: faces.length === FACES.length ? undefined : faces,
    pristine: form.isOn("pristine"),
    allowWhiteouts: form.isOn("allow-whiteouts"),
    allowSavedImage: form.isOn("allow-saved-image"),
  };
}

/** Errors of a field's text get the field's name. */
function inField<T>(field: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isRefusal(error)) {
      throw new FieldError(field, error.message);
    }
    throw error;
  }
}

function line(text: string): string | undefined {
  return text.trim() === "" ? undefined : text.trim();
}

/** The lines that have something on them. */
function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

function list(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function wordsOrNone(text: string): string[] | undefined {
  const words = wordsOf(text);
  return words.length > 0 ? words : undefined;
}

function withValue(pair: string): string {
  if (pair.includes("=")) return pair;
  throw new InputError(`${shown(pair)} is not KEY=VALUE`);
}

/** Seconds since 1970; `undefined` is now. */
function time(text: string): number | undefined {
  const given = line(text);
  if (given === undefined) return undefined;
  const seconds = /^\d{1,15}$/.test(given)
    ? Number(given)
    : Math.floor(parseRfc3339(given));
  if (seconds < 0) throw new InputError(`${shown(given)} is before 1970`);
  rfc3339(seconds);
  return seconds;
}
