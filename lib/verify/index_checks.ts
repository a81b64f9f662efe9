import { shown } from "../errors/shown.ts";
import { jsonText } from "../formats/json_text.ts";
import { platformKey } from "../formats/values/platform.ts";
import type { Document, DocumentReader } from "./document_reader.ts";
import {
  annotationsOf,
  CONTAINERD_NAME,
  descriptors,
  REF_NAME,
  textOf,
} from "./oci_descriptor.ts";
import { isObject, type Json } from "./shape.ts";

/** Checks that no two descriptors of the index have one reference name. */
export function checkReferences(reader: DocumentReader, index: Document): void {
  const seen = new Set<string>();
  const named = new Map<string, unknown>();
  const tell = (rule: "tag-repeated" | "name-repeated", message: string) =>
    reader.findings.add(rule, shown("index.json"), message);
  for (const descriptor of descriptors(index.value, "manifests")) {
    const annotations = annotationsOf(descriptor);
    const tag = annotations.get(REF_NAME);
    if (tag !== undefined && seen.has(tag)) {
      tell("tag-repeated", `two descriptors are named ${shown(tag)}`);
    }
    if (tag !== undefined) seen.add(tag);
    const name = annotations.get(CONTAINERD_NAME);
    if (name === undefined) continue;
    const { digest } = descriptor;
    if (named.has(name) && named.get(name) !== digest) {
      tell("name-repeated", `two images are named ${shown(name)}`);
    }
    named.set(name, digest);
  }
}

/** Checks that an index has one image for each platform. */
export function checkPlatforms(
  reader: DocumentReader,
  entry: string,
  all: Json[],
): void {
  const seen = new Map<string, unknown>();
  for (const { platform, digest } of all) {
    if (!isObject(platform)) continue;
    const { os, architecture, variant, ...rest } = platform;
    // Attestations are for no platform.
    if (os === "unknown" || typeof architecture !== "string") continue;
    const text = platformKey({
      os: textOf(os),
      architecture,
      variant: textOf(variant) || undefined,
    });
    // Windows has os.version, too.
    const key = text + jsonText(rest);
    if (seen.has(key) && seen.get(key) !== digest) {
      reader.findings.add(
        "platform-repeated",
        entry,
        `two images are for ${shown(text)}`,
      );
    }
    seen.set(key, digest);
  }
}
