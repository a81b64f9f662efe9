import { worker } from "./node.ts";
import { ways } from "./ways.ts";

/** From so many bytes on, another thread saves more time than its start takes. */
const LARGE = 1 << 24;

/** Whether another thread that takes over work saves time. */
export function paysThread(bytes: number): boolean {
  if (ways().has("beside")) return true;
  return bytes >= LARGE && !ways().has("alone") && hasSecondCore();
}

let cores: number | undefined;

/** Whether this machine can run another thread at the same time. */
function hasSecondCore(): boolean {
  cores ??= globalThis.navigator?.hardwareConcurrency ?? worker.cores();
  return cores > 1;
}

/** Another thread of this program. */
export type Thread = InstanceType<typeof worker.Worker>;

/**
 * Starts a thread.
 *
 * @param code What it runs.
 * @param workerData What it gets.
 * @returns `undefined` if the system has none left.
 */
export function startThread(
  code: string,
  workerData: unknown,
): Thread | undefined {
  try {
    return new worker.Worker(code, { eval: true, workerData });
  } catch {
    return undefined;
  }
}
