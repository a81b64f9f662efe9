import { required } from "./required.ts";
import { isInstalled } from "./run.ts";

/** A test that is ignored, with the reason, where its engine is missing. */
export function engineTest(
  engine: string,
  programs: string[],
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const missing = programs.find((program) => !isInstalled(program));
  const reason = missing
    ? `${missing} is not installed`
    : Deno.uid() === 0
    ? undefined
    : "needs root";
  const ignore = reason !== undefined && !required.includes(engine);
  Deno.test({ name: ignore ? `${name} (${reason})` : name, ignore, fn });
}
