import assert from "node:assert/strict";
import {
  formatBytes,
  formatDuration,
  Progress,
  type ProgressOptions,
} from "../../lib/cli/progress.ts";

const MIB = 2 ** 20;

/** A bar on a paper terminal, with a clock that is set by hand. */
function sample(options: Partial<ProgressOptions> = {}) {
  const clock = { now: 1000 };
  const drawn: string[] = [];
  const progress = new Progress({
    write: (text) => drawn.push(text),
    total: 100 * MIB,
    now: () => clock.now,
    ...options,
  });
  return { clock, drawn, progress };
}

/** What is to be seen of a drawing. */
function visible(text: string | undefined): string {
  assert.ok(text !== undefined);
  assert.ok(text.startsWith("\r") && text.endsWith("\x1b[K"));
  return text.slice(1, -3);
}

Deno.test("Progress shows nothing for half a second", () => {
  const { clock, drawn, progress } = sample();
  progress.add(MIB);
  clock.now += 499;
  progress.add(MIB);
  progress.end();
  assert.deepEqual(drawn, []);
});

Deno.test("Progress shows bar, percent, bytes, rate and time left", () => {
  const { clock, drawn, progress } = sample();
  progress.add(20 * MIB);
  clock.now += 500;
  progress.add(5 * MIB);
  assert.deepEqual(drawn.map(visible), [
    "[#######                        ]   25%  25 MiB of 100 MiB  50 MiB/s  0:02 left",
  ]);
});

Deno.test("Progress is drawn at most ten times a second", () => {
  const { clock, drawn, progress } = sample();
  for (let millisecond = 0; millisecond < 2000; millisecond++) {
    clock.now++;
    progress.add(1000);
  }
  // 1.5 s of drawing after the first half second, the moment itself included.
  assert.equal(drawn.length, 16);
});

Deno.test("Progress clears its line in the end, once", () => {
  const { clock, drawn, progress } = sample();
  clock.now += 600;
  progress.add(MIB);
  progress.end();
  progress.end();
  clock.now += 600;
  progress.add(MIB);
  assert.equal(drawn.length, 2);
  assert.equal(drawn[1], "\r\x1b[K");
});

Deno.test("Progress fits in any number of columns", () => {
  for (let columns = 0; columns <= 200; columns++) {
    for (const total of [100 * MIB, undefined]) {
      const { clock, drawn, progress } = sample({
        columns,
        total,
        label: "Reading",
      });
      clock.now += 1000;
      progress.add(99 * MIB);
      const line = visible(drawn[0]);
      assert.ok(line.length < Math.max(columns, 1), `${columns}: ${line}`);
    }
  }
});

Deno.test("Progress leaves out the bar first and the percent last", () => {
  const lines = [79, 60, 50, 40, 30, 20, 6].map((columns) => {
    const { clock, drawn, progress } = sample({ columns, label: "Writing" });
    clock.now += 1000;
    progress.add(50 * MIB);
    return visible(drawn[0]);
  });
  assert.deepEqual(lines, [
    "Writing  [##########           ]   50%  50 MiB of 100 MiB  50 MiB/s  0:01 left",
    "Writing   50%  50 MiB of 100 MiB  50 MiB/s  0:01 left",
    " 50%  50 MiB of 100 MiB  50 MiB/s  0:01 left",
    "[#####     ]   50%  50 MiB/s  0:01 left",
    " 50%  50 MiB/s  0:01 left",
    " 50%  0:01 left",
    " 50%",
  ]);
});

Deno.test("Progress shows bytes and rate where the total is not known", () => {
  const { clock, drawn, progress } = sample({ total: undefined });
  clock.now += 2000;
  progress.add(3 * MIB);
  assert.equal(visible(drawn[0]), "3.0 MiB  1.5 MiB/s");
});

Deno.test("Progress bears more bytes than the total", () => {
  const { clock, drawn, progress } = sample({ columns: 60 });
  clock.now += 1000;
  progress.add(200 * MIB);
  assert.equal(
    visible(drawn[0]),
    "[#########]  100%  200 MiB of 100 MiB  200 MiB/s  0:00 left",
  );
});

Deno.test("Progress bears no bytes at all", () => {
  const { clock, drawn, progress } = sample({ columns: 46 });
  clock.now += 1000;
  progress.add(0);
  assert.equal(visible(drawn[0]), "  0%  0 B of 100 MiB  0 B/s  -:-- left");
});

Deno.test("formatBytes() picks the unit", () => {
  assert.deepEqual(
    [0, 1023, 1024, 10 * 1024, MIB - 1, 1.5 * MIB, 2 ** 30, 5e15].map(
      formatBytes,
    ),
    [
      "0 B",
      "1023 B",
      "1.0 KiB",
      "10 KiB",
      "1.0 MiB",
      "1.5 MiB",
      "1.0 GiB",
      "4.4 PiB",
    ],
  );
});

Deno.test("formatDuration() writes minutes and hours", () => {
  assert.deepEqual(
    [0, 0.1, 59, 60, 61.5, 3600, 36061].map(formatDuration),
    ["0:00", "0:01", "0:59", "1:00", "1:02", "1:00:00", "10:01:01"],
  );
});
