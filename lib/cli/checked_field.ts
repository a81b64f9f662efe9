import { processConfig } from "../formats/process_config.ts";
import type { ImageFields } from "../image/image.ts";
import { named } from "./failure.ts";

/** Refuses what no image config can hold. */
export function check(fields: ImageFields): void {
  processConfig({ ...fields, names: [], created: 0, architecture: "" });
}

/** An option's value, if an image config can hold it in a field. */
export function checked<T>(
  option: string,
  field: keyof ImageFields,
  value: T,
): T {
  named(`--${option}`, () => check({ [field]: value }));
  return value;
}
