import { InputError } from "../errors/input_error.ts";
import type { ImageFields } from "../image/image.ts";
import { readConfig } from "../read/read_config.ts";
import { host } from "../system/host.ts";
import { check } from "./checked_field.ts";
import { inFile } from "./failure.ts";

/** Reads the file of --config, if it is given, and refuses what is odd in it. */
export function configFile(path: string | undefined): ImageFields {
  if (path === undefined) return {};
  const text = host.readText(path);
  return inFile(path, () => {
    const { fields, faults, oddities } = readConfig(text);
    const [wrong] = [
      ...faults.map(({ message }) => message),
      // The note on which faces have it does not fit: nothing of this file
      // stays.
      ...oddities.map(({ note }) => note.replace(/[;:] .*/s, "")),
    ];
    if (wrong !== undefined) throw new InputError(wrong);
    check(fields);
    return fields;
  });
}
