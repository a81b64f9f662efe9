import assert from "node:assert/strict";
import { ciso } from "./ciso.ts";
import { run } from "./run.ts";

/**
 * Makes an isoc whose layer compresses to more than a chunk of an upload.
 *
 * @param work The directory for it.
 * @returns Its path.
 */
export async function noiseImage(work: string): Promise<string> {
  for (let i = 0; i < 160; i++) {
    const bytes = crypto.getRandomValues(new Uint8Array(65536));
    await Deno.writeFile(`${work}/noise`, bytes, { append: true });
  }
  await run("tar", ["-C", work, "-cf", `${work}/noise.tar`, "noise"]);
  const { code, stderr } = await ciso(
    [
      ...[`${work}/noise.tar`, "-t", "me/app:1", "-o", `${work}/a.isoc`],
      ...["--", "/noise"],
    ],
  );
  assert.equal(code, 0, stderr);
  return `${work}/a.isoc`;
}
