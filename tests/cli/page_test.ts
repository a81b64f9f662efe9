/// <reference lib="dom" />
// The page that makes isocs, in Debian's Chromium: what it makes of a real busybox
// tar is what the command makes, byte for byte, and an engine takes it.

import assert from "node:assert/strict";
import {
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { ciso, ROOT } from "../support/ciso.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import { tarOf } from "../support/tar_writer.ts";

const ignore = !isInstalled("chromium") && !required.includes("chromium");
if (ignore) console.warn("The page is not tried: chromium is not installed");

const work = await Deno.makeTempDir({ prefix: "isoc-maker-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));
const built = `${work}/index.html`;
const busybox = `${work}/busybox.tar`;
if (!ignore) {
  await run(`${ROOT}/scripts/build-maker`, [built]);
  await run(`${ROOT}/scripts/rootfs`, ["busybox", busybox]);
}

/** Opens the page; whatever it complains of or asks for fails the test. */
async function withPage(
  use: (page: Page) => Promise<void>,
  options: BrowserContextOptions & { address?: string; init?: string } = {},
): Promise<void> {
  const { address = `file://${built}`, init, ...rest } = options;
  const profile = await Deno.makeTempDir({ prefix: "isoc-chromium-" });
  const complaints: string[] = [];
  let context;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: "/usr/bin/chromium",
      headless: true,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
      ...rest,
    });
    const page = await context.newPage();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      const url = request.url();
      if (url !== address && !/^(data:,$|blob:)/.test(url)) {
        complaints.push(`request ${url}`);
      }
    });
    if (init !== undefined) await page.addInitScript(init);
    await page.goto(address);
    await page.waitForSelector("html[data-ready]");
    await use(page);
  } finally {
    await context?.close();
    await Deno.remove(profile, { recursive: true });
  }
  assert.deepEqual(complaints, []);
}

/** Without it, a file is saved as a download. */
const NO_PICKER = "delete window.showSaveFilePicker";

/** Fills in a name and a command and has the isoc made. */
async function make(page: Page, file: string): Promise<void> {
  await page.setInputFiles("#file", file);
  await page.fill("#name", "isoc/hello:1.0");
  await page.fill("#command", "/bin/echo 'make container' not war");
  await page.evaluate(() => {
    for (const node of document.querySelectorAll("details")) node.open = true;
  });
  await page.fill("#created", "1433851200");
}

async function download(page: Page): Promise<string> {
  await page.click("#make");
  await page.waitForSelector("#result:not([hidden])");
  const waited = page.waitForEvent("download");
  await page.click("#save");
  const got = await waited;
  assert.equal(got.suggestedFilename(), "hello.isoc");
  const path = `${work}/${crypto.randomUUID()}.isoc`;
  await got.saveAs(path);
  return path;
}

const COMMAND = ["--", "/bin/echo", "make container", "not", "war"];

/** Asserts that a file is what the command makes with options. */
async function assertSame(path: string, input: string, options: string[]) {
  const other = `${work}/${crypto.randomUUID()}.isoc`;
  const image = ["-t", "isoc/hello:1.0", "--created=1433851200", "-q"];
  const { code, stderr } = await ciso([
    ...[input, ...image, ...options, "-o", other, ...COMMAND],
  ]);
  assert.equal(code, 0, stderr);
  await run("cmp", [path, other]);
}

Deno.test({
  name: "The page makes of busybox what the command makes",
  ignore,
  async fn(t) {
    await withPage(async (page) => {
      let path = "";
      await t.step("with a name and a command", async () => {
        await make(page, busybox);
        path = await download(page);
        await assertSame(path, busybox, []);
        assert.match(
          await page.locator("#facts").innerText(),
          /isoc\/hello:1\.0[^]*linux\/[^]*sha256:[0-9a-f]{64}/,
        );
      });
      if (isInstalled("skopeo")) {
        await t.step("which skopeo takes", async () => {
          const config = JSON.parse(
            await run("skopeo", [
              ...["inspect", "--config", `docker-archive:${path}`],
            ]),
          );
          assert.deepEqual(config.config.Cmd, COMMAND.slice(1));
          assert.equal(config.created, "2015-06-09T12:00:00Z");
          await run("skopeo", ["inspect", `oci-archive:${path}`]);
        });
      }
      await t.step("with all fields", async () => {
        await page.fill("#entrypoint", '["/bin/env", "-i"]');
        await page.fill("#env", "# none\nA=b c\nB=");
        await page.fill("#workdir", "/tmp");
        await page.fill("#user", "root");
        await page.fill("#ports", "80, 53/udp");
        await page.fill("#volumes", "/var/log\n/run");
        await page.fill("#signal", "SIGINT");
        await page.fill("#labels", "x=<b>y</b>\n__proto__=z");
        await page.fill("#author", "Jane");
        await page.fill("#platform", "linux/arm64");
        await page.uncheck("#face-lxd");
        await page.check("#pristine");
        await assertSame(await download(page), busybox, [
          ...["--entrypoint", "/bin/env -i", "-e", "A=b c", "-e", "B="],
          ...["-w", "/tmp", "-u", "root", "--expose", "80"],
          ...["--expose", "53/udp", "--volume", "/var/log", "--volume=/run"],
          ...["--stop-signal", "SIGINT", "-l", "x=<b>y</b>"],
          ...["-l", "__proto__=z", "--author", "Jane"],
          ...["--platform", "linux/arm64", "--pristine"],
          ...["--faces", "appc,docker,docker-v1,oci,bundle"],
        ]);
        // What the platform is and the programs are not is said as text.
        assert.match(await page.locator("#notes").innerText(), /arm64/);
      });
    }, { init: NO_PICKER });
  },
});

Deno.test({
  name: "The page takes gzip off, and says what it cannot take",
  ignore,
  async fn(t) {
    await run("bash", ["-c", `gzip -k ${busybox}; xz -k0 ${busybox}`]);
    const file = async (name: string, bytes: Uint8Array) => {
      await Deno.writeFile(`${work}/${name}`, bytes);
      return `${work}/${name}`;
    };
    await withPage(async (page) => {
      await t.step("gzip", async () => {
        await make(page, `${busybox}.gz`);
        await assertSame(await download(page), busybox, []);
      });
      const refuses = async (path: string, message: RegExp) => {
        await make(page, path);
        await page.click("#make");
        await page.waitForSelector("#error:not([hidden])");
        assert.match(await page.locator("#error").innerText(), message);
        assert.equal(await page.locator("#result").isVisible(), false);
      };
      await t.step(
        "xz",
        () => refuses(`${busybox}.xz`, /^busybox\.tar\.xz.*xz -d/),
      );
      await t.step("half a gzip", async () => {
        const bytes = await Deno.readFile(`${busybox}.gz`);
        await refuses(
          await file("half.gz", bytes.subarray(0, 99_999)),
          /half\.gz is damaged/,
        );
      });
      await t.step("no tar, with markup in its name", async () => {
        const name = "<img src=x onerror=alert(1)>.tar";
        const path = await file(name, new Uint8Array(2048).fill(120));
        await refuses(path, /<img src=x onerror=alert\(1\)>\.tar.*tar/);
        assert.equal(await page.locator("img").count(), 0);
      });
      await t.step("an entry that climbs out", async () => {
        const tar = tarOf([{ name: "../<b>x</b>", data: "x" }]);
        await refuses(await file("climbs.tar", tar), /<b>x<\/b>/);
      });
      await t.step("fields, which get the focus", async () => {
        for (
          const [field, value, message] of [
            ["name", "Isoc/Hello", /^Name: .*upper case/],
            ["name", " ", /^Name: A name is needed/],
            ["command", "'open", /^Command: .*not closed/],
            ["command", "", /^Command: A command is needed/],
            ["env", "A=1\nB", /^Environment: "?B"? is not KEY=VALUE/],
            ["workdir", "tmp", /^Working directory: /],
            ["ports", "80000", /^Ports: /],
            ["labels", "=x", /^Labels: /],
            ["created", "yesterday", /^Created: /],
            ["platform", "linux", /^Platform: /],
          ] as const
        ) {
          await make(page, busybox);
          await page.fill(`#${field}`, value);
          await page.click("#make");
          assert.match(await page.locator("#error").innerText(), message);
          assert.equal(
            await page.evaluate(() => document.activeElement?.id),
            field,
          );
          // What is typed next takes the complaint away.
          await page.locator(`#${field}`).pressSequentially("1");
          assert.equal(await page.locator("#error").isVisible(), false);
          await page.fill(`#${field}`, "");
        }
      });
    }, { init: NO_PICKER });
  },
});

Deno.test({
  name: "The page writes into the file that the user picks",
  ignore,
  async fn() {
    // Of a file:// page, the browser keeps no files; the picker needs a person.
    const page = await Deno.readFile(built);
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () => new Response(page, { headers: { "content-type": "text/html" } }),
    );
    const address = `http://127.0.0.1:${server.addr.port}/`;
    const init = `window.showSaveFilePicker = async ({ suggestedName }) =>
      (await navigator.storage.getDirectory()).getFileHandle(
        suggestedName, { create: true })`;
    await withPage(async (page) => {
      await make(page, busybox);
      await page.keyboard.press("Enter");
      await page.waitForSelector("#result:not([hidden])");
      // It gets the focus after it is shown.
      await page.waitForFunction(() => document.activeElement?.id === "save");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() =>
        document.querySelector("#saved")?.textContent === "Saved."
      );
      const digest = await page.evaluate(async () => {
        const root = await navigator.storage.getDirectory();
        const handle = await root.getFileHandle("hello.isoc");
        const bytes = await (await handle.getFile()).arrayBuffer();
        const hash = await crypto.subtle.digest("SHA-256", bytes);
        return [...new Uint8Array(hash)].map((byte) =>
          byte.toString(16).padStart(2, "0")
        ).join("");
      });
      const other = `${work}/picked.isoc`;
      const image = ["-t", "isoc/hello:1.0", "--created=1433851200", "-q"];
      await ciso([busybox, ...image, "-o", other, ...COMMAND]);
      const [sum] = (await run("sha256sum", [other])).split(" ");
      assert.equal(digest, sum);
    }, { address, init });
  },
});

Deno.test({
  name: "A file is dropped, a phone is wide enough, and all fields have names",
  ignore,
  async fn() {
    const colours: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await withPage(async (page) => {
        await page.evaluate(() => {
          const data = new DataTransfer();
          data.items.add(new File(["x"], "<i>a</i>.tar"));
          document.dispatchEvent(
            new DragEvent("drop", { dataTransfer: data, cancelable: true }),
          );
          for (const node of document.querySelectorAll("details")) {
            node.open = true;
          }
        });
        assert.equal(
          await page.locator("#chosen").innerText(),
          '"<i>a</i>.tar", 1 B',
        );
        const width = await page.evaluate(() =>
          document.documentElement.scrollWidth
        );
        assert.ok(width <= 360, `It is ${width} pixels wide`);
        const nameless = await page.evaluate(() =>
          [...document.querySelectorAll("input, textarea, button, progress")]
            .filter((node) =>
              !(node as HTMLInputElement).labels?.[0]?.textContent?.trim() &&
              !node.textContent?.trim() && !node.getAttribute("aria-label")
            ).map((node) => node.outerHTML)
        );
        assert.deepEqual(nameless, []);
        colours.push(
          await page.evaluate(() =>
            getComputedStyle(document.body).backgroundColor
          ),
        );
      }, { viewport: { width: 360, height: 740 }, colorScheme });
    }
    assert.notEqual(colours[0], colours[1]);
  },
});
