import process from "node:process";

/** Milliseconds of the processor: more than any small input may take. */
const LIMIT = 5000;

/**
 * Begins to count what this process takes of the processor; other programs on the
 * machine do not change that.
 *
 * @returns Says what is wrong, if it has been too much.
 */
export function countTime(): () => string | undefined {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    const time = Math.round((user + system) / 1000);
    return time > LIMIT ? `it took ${time} ms of the processor` : undefined;
  };
}
