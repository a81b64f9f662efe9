import assert from "node:assert/strict";
import { PassingError, retry, retryAfter } from "../../lib/registry/retry.ts";

function clock() {
  const waits: number[] = [];
  return {
    waits,
    options: {
      random: () => 1,
      sleep: (milliseconds: number) => {
        waits.push(milliseconds);
        return Promise.resolve();
      },
    },
  };
}

Deno.test("retry() tries again what may pass, each time later", async () => {
  const { waits, options } = clock();
  const result = await retry((count) => {
    if (count < 4) throw new PassingError("not yet");
    return Promise.resolve(count);
  }, options);
  assert.equal(result, 4);
  assert.deepEqual(waits, [500, 1000, 2000]);
});

Deno.test("retry() gives up at once on what lasts, and at last on the rest", async () => {
  const { waits, options } = clock();
  await assert.rejects(
    retry(() => Promise.reject(new Error("never")), options),
    /never/,
  );
  assert.deepEqual(waits, []);
  await assert.rejects(
    retry(() => Promise.reject(new PassingError("busy")), options),
    /busy/,
  );
  assert.equal(waits.length, 4);
});

Deno.test("retry() waits as long as it is asked to, but not for ever", async () => {
  const { waits, options } = clock();
  const failing = (wait: number) => () =>
    Promise.reject(new PassingError("busy", { wait }));
  const said: string[] = [];
  const onWait = ({ message }: Error, milliseconds: number) =>
    void said.push(`${message} ${milliseconds}`);
  const twice = { ...options, tries: 2, onWait };
  await assert.rejects(retry(failing(3000), twice));
  await assert.rejects(retry(failing(1e9), twice));
  assert.deepEqual(waits, [3000, 30_000]);
  assert.deepEqual(said, ["busy 3000", "busy 30000"]);
});

Deno.test("retryAfter() reads seconds and dates", () => {
  assert.equal(retryAfter("7"), 7000);
  assert.equal(
    retryAfter("Thu, 01 Jan 1970 00:00:09 GMT", 4000),
    5000,
  );
  assert.equal(retryAfter("Thu, 01 Jan 1970 00:00:01 GMT", 4000), 0);
  for (const text of [null, "", "soon", "-1"]) {
    assert.equal(retryAfter(text), undefined);
  }
});
