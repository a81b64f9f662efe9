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

/** What each thread runs: its first piece of work, and others that it gets. */
const RUN = `
import("node:worker_threads").then(({ parentPort, workerData }) => {
  const run = ({ code, data }) => {
    // Messages without it are for what runs already.
    if (code) new Function("data", "port", code)(data, parentPort);
  };
  parentPort.on("message", run);
  run(workerData);
});`;

/** A thread that has nothing to do: under Deno each takes 20 MiB. */
let spare: Thread | undefined;

/**
 * Has another thread work: one that is there and has nothing to do, or a new one.
 *
 * @param code What it runs, with the variables `data` and `port`: where its
 * messages go.
 * @param data What it gets.
 * @returns `undefined` if the system has no thread left.
 */
export function startThread(code: string, data: unknown): Thread | undefined {
  const thread = spare;
  spare = undefined;
  if (thread) {
    thread.postMessage({ code, data });
    return thread;
  }
  try {
    const workerData = { code, data };
    return new worker.Worker(RUN, {
      eval: true,
      workerData,
      // A thread works in memory that it gets or takes once. What else it makes
      // lives briefly: without a limit, V8 lets 16 MiB of it come together.
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
    });
  } catch {
    return undefined;
  }
}

/**
 * What a thread says in the end: the text of its one message.
 *
 * @param onEnd Is called if it ends without one, or was not started.
 * @returns `undefined` then.
 */
export function resultOf(
  thread: Thread | undefined,
  onEnd: () => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const end = () => {
      onEnd();
      resolve(undefined);
    };
    thread?.on("message", resolve);
    thread?.on("error", end);
    thread?.on("exit", end);
    if (!thread) end();
    // The process need not wait for it.
    thread?.unref();
  });
}

/** Milliseconds of a wait in which nothing else is done. */
const WAIT = 20;

/**
 * Waits a little for another thread to change a number in memory that both share.
 * Not each Deno wakes up from Atomics.waitAsync(). If nothing comes, events get a
 * turn: signals, and that the other thread has ended.
 *
 * @param value What the number is before that.
 */
export async function waitForThread<T extends Int32Array | BigInt64Array>(
  state: T,
  at: number,
  value: T[number],
): Promise<void> {
  const result = state instanceof Int32Array
    ? Atomics.wait(state, at, value as number, WAIT)
    : Atomics.wait(state, at, value as bigint, WAIT);
  if (result !== "timed-out") return;
  await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Keeps a thread that has done its work for other work. */
export function keepThread(thread: Thread): void {
  // Node has listeners of its own.
  for (const event of ["message", "error", "exit"]) {
    thread.removeAllListeners(event);
  }
  // The process need not wait for it.
  thread.unref();
  if (spare) void thread.terminate();
  else spare = thread;
}

/** Ends a thread that was kept, where no other work comes for it. */
export function endKeptThread(): void {
  void spare?.terminate();
  spare = undefined;
}
