import { InputError } from "../errors/input_error.ts";
import { sha256 } from "./sha256.ts";
import type { Fate } from "../export/pass.ts";

/** Checks data as they pass: an `onData` and an `onEnd` that fails. */
export function verified(
  path: string,
  digest: string,
  onEnd: Fate["onEnd"] = () => {},
): Required<Pick<Fate, "onData" | "onEnd">> {
  const hash = sha256();
  return {
    onData: (bytes) => hash.update(bytes),
    onEnd() {
      const found = hash.hex();
      if (found !== digest) {
        throw new InputError(
          `${path} is damaged: its digest is sha256:${found}, not ` +
            `sha256:${digest}`,
        );
      }
      return onEnd();
    },
  };
}
