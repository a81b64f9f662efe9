import { isObject, type Json } from "./shape.ts";

/** Annotation of a descriptor: a tag, or a whole name. */
export const REF_NAME = "org.opencontainers.image.ref.name";
/** Annotation of a descriptor: the name that containerd gives the image. */
export const CONTAINERD_NAME = "io.containerd.image.name";

/** The descriptors in a list of an image index or manifest. */
export function descriptors(value: unknown, key: string): Json[] {
  const list = isObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** Where the blob of a descriptor is; nothing if its digest is none. */
export function blobPath({ digest }: Json): string | undefined {
  return typeof digest === "string" && /^[a-z0-9+._-]+:[\w=-]+$/.test(digest)
    ? `blobs/${digest.replace(":", "/")}`
    : undefined;
}

/** The whole names that a descriptor gives its image. */
export function namesOf(descriptor: Json): string[] {
  const notes = annotationsOf(descriptor);
  const name = notes.get(CONTAINERD_NAME);
  if (name !== undefined) return [name];
  const reference = notes.get(REF_NAME);
  // Most tools write the bare tag there, which names nothing.
  return reference && /[/:]/.test(reference) ? [reference] : [];
}

/** The reference name of a descriptor, where it is a bare tag. */
export function tagsOf(descriptor: Json): string[] {
  const reference = annotationsOf(descriptor).get(REF_NAME);
  return reference === undefined || /[/:]/.test(reference) ? [] : [reference];
}

/** The annotations of a descriptor, a manifest or an index. */
export function annotationsOf({ annotations }: Json): Map<string, string> {
  if (!isObject(annotations)) return new Map();
  return new Map(
    Object.entries(annotations).filter((pair): pair is [string, string] =>
      typeof pair[1] === "string"
    ),
  );
}

/** A text; an empty one in place of anything else, which breaks the schema. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
