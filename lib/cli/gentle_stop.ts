import { host } from "../system/host.ts";
import { say } from "./say.ts";

/** What work that a signal stops ends with. */
export class Stopped extends Error {
  /** The exit code for that signal. */
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("Stopped by a signal");
    this.exitCode = exitCode;
  }
}

/**
 * Lets the first Ctrl-C, or another signal that ends programs, stop work at the
 * next good place; the second one ends the program at once.
 *
 * @param message What to say then.
 * @returns Its reason is a {@linkcode Stopped}.
 */
export function gentleStop(message: string): AbortSignal {
  const controller = new AbortController();
  host.onFirstSignal((exitCode) => {
    say(message);
    controller.abort(new Stopped(exitCode));
  });
  return controller.signal;
}
