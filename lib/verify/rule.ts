import type { Hurts } from "./engines.ts";

/**
 * How bad a broken rule is: an `error` makes an engine refuse the image, or show
 * another one than the others do; a `warning` breaks a specification, and some
 * reader may mind; a `note` is good to know and no finding.
 */
export type Severity = "error" | "warning" | "note";

/** A rule for images. */
export interface Rule {
  severity: Severity;
  /** The engines that it hurts. */
  hurts: Hurts;
  /** What the rule says. */
  rule: string;
  /** Why: what happens otherwise. */
  why: string;
  /** What to do about it, without a full stop. */
  remedy: string;
}

/** What to do about most of what is wrong with an isoc. */
export const REBUILD = "build the image again with ciso, from its layers";
/** What to do about a damaged file. */
export const FETCH = "fetch or build the image again";
/** The engines that unpack files: all that read a face. */
export const UNPACK: Hurts = [
  "docker",
  "oci",
  "appc",
  "bundle",
  "lxd",
  "docker-v1",
];
