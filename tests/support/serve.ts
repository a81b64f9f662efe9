import assert from "node:assert/strict";

/**
 * Starts `ciso serve`; gives host and port.
 *
 * @param command What starts ciso, with the network.
 */
export async function startServe(
  command: string[],
  args: string[],
  env: Record<string, string> = {},
) {
  const child = new Deno.Command(command[0]!, {
    args: [...command.slice(1), "serve", ...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("ciso serve ended");
    text += value;
  }
  const { host, href } = new URL(text.split("\n")[0]!);
  return {
    pid: child.pid,
    host,
    href,
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      await reader.cancel();
      assert.equal((await child.status).code, 0);
    },
  };
}
