import { process } from "./node.ts";

/** Writes that may wait for a pipe's reader now. */
let waiting = 0;

/** Counts a write of a pipe while it lasts. */
export async function whileWriting<T>(write: () => Promise<T>): Promise<T> {
  waiting++;
  try {
    return await write();
  } finally {
    waiting--;
  }
}

/** The signals that end the program, by its exit code. */
const SIGNALS = new Map([[129, "SIGHUP"], [130, "SIGINT"], [143, "SIGTERM"]]);

/**
 * Ends the process by the signal that it ends for, if a write waits for a pipe
 * whose reader reads nothing: Node does not exit before all of its threads do.
 * Shells see the same exit code.
 */
export function endBySignal(exitCode: number): void {
  const signal = SIGNALS.get(exitCode);
  if (waiting === 0 || signal === undefined) return;
  const here = process();
  here.removeAllListeners(signal);
  here.kill(here.pid, signal);
}
