/// <reference lib="dom" />
// The page of ciso inspect --html in Debian's Chromium: clicks, search, keys,
// hostile names, a phone's width, a large tree. Nothing of it asks a server.

import assert from "node:assert/strict";
import {
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { ciso } from "../support/ciso.ts";
import { isInstalled } from "../support/run.ts";
import { required } from "../support/required.ts";
import { type TarEntry, tarOf } from "../support/tar_writer.ts";

const ignore = !isInstalled("chromium") && !required.includes("chromium");
if (ignore) console.warn("The page is not tried: chromium is not installed");

const work = await Deno.makeTempDir({ prefix: "isoc-page-test-" });
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

/** Writes the page of an image of entries, and gives its address. */
async function pageOf(name: string, entries: TarEntry[]): Promise<string> {
  const at = (end: string) => `${work}/${name}.${end}`;
  await Deno.writeFile(at("tar"), tarOf(entries));
  const image = [
    "-t",
    "isoc/page:1.0",
    "-l",
    "evil=</script><img src=x onerror=alert(1)>",
    "--author",
    "<b>Jane</b>",
    "--created=0",
  ];
  for (
    const args of [
      [at("tar"), ...image, "-q", "-o", at("isoc"), "--", "/bin/sh"],
      ["inspect", at("isoc"), "--html", at("html")],
    ]
  ) {
    const { code, stderr } = await ciso(args);
    assert.equal(code, 0, stderr);
  }
  return `file://${at("html")}`;
}

/** Opens an address; whatever the page complains of or asks for fails the test. */
async function withPage(
  address: string,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const profile = await Deno.makeTempDir({ prefix: "isoc-chromium-" });
  const complaints: string[] = [];
  let context: BrowserContext | undefined;
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
      ...options,
    });
    const page = await context.newPage();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("request", (request) => {
      if (request.url() !== address && request.url() !== "data:,") {
        complaints.push(`request ${request.url()}`);
      }
    });
    await page.goto(address);
    await page.waitForSelector("html[data-ready]");
    await use(page);
  } finally {
    await context?.close();
    await Deno.remove(profile, { recursive: true });
  }
  assert.deepEqual(complaints, []);
}

const dir = (name: string): TarEntry => ({ name, type: "5", mode: 0o755 });
const EVIL = "</script><script>alert(1)</script>";
const SMALL: TarEntry[] = [
  dir("usr/"),
  dir("usr/lib/"),
  { name: "usr/lib/big.so", data: "x".repeat(60_000) },
  { name: "usr/lib/small.so", data: "x".repeat(9000) },
  { name: "usr/<img src=x onerror=alert(2)>", data: "y".repeat(20_000) },
  { name: EVIL.replaceAll("/", "\\"), data: "z".repeat(30_000) },
  { name: "<!--<script>", data: "c".repeat(5000) },
  { name: "etc/motd", data: "hello" },
  { name: "a&amp;\"'`", data: "q".repeat(4000) },
  {
    name: "var/lib/dpkg/status",
    data: `Package: ${EVIL}\nVersion: 1\n\nPackage: b\nVersion: 2-1\n`,
  },
];

const tile = (page: Page, name: string) =>
  page.locator(`#treemap > button[aria-label^=${JSON.stringify(name)}]`);

Deno.test({
  name: "The page is used by clicks, keys and search, and hides nothing",
  ignore,
  async fn(t) {
    const address = await pageOf("small", SMALL);
    await withPage(address, {}, async (page) => {
      const crumbs = () => page.locator("#crumbs li").allTextContents();
      await t.step("names with markup are text", async () => {
        const text = await page.locator("body").innerText();
        assert.ok(text.includes("<!--<script>"));
        assert.ok(text.includes(EVIL.replaceAll("/", "\\")));
        assert.ok(text.includes("a&amp;\"'`"));
        assert.ok(text.includes("</script><img src=x onerror=alert(1)>"));
        assert.ok(text.includes("<b>Jane</b>"));
        assert.equal(await page.locator("img").count(), 0);
      });
      await t.step("a click goes down, the breadcrumb up", async () => {
        assert.deepEqual(await crumbs(), ["/"]);
        await tile(page, "usr/").click();
        assert.deepEqual(await crumbs(), ["/", "usr"]);
        await tile(page, "lib/").click();
        assert.deepEqual(await crumbs(), ["/", "usr", "lib"]);
        await tile(page, "big.so").click();
        assert.match(
          await page.locator("#detail").innerText(),
          /\/usr\/lib\/big\.so file · 58\.6 KiB · layer 1/,
        );
        await page.locator("#crumbs button", { hasText: "usr" }).click();
        assert.deepEqual(await crumbs(), ["/", "usr"]);
        await page.locator("#crumbs button").first().click();
        assert.deepEqual(await crumbs(), ["/"]);
      });
      await t.step("the keyboard does the same", async () => {
        await tile(page, "usr/").focus();
        await page.keyboard.press("Enter");
        assert.deepEqual(await crumbs(), ["/", "usr"]);
        const focused = () =>
          page.evaluate(() =>
            document.activeElement?.getAttribute("aria-label") ?? ""
          );
        const first = await focused();
        assert.match(first, /^lib\//);
        await page.keyboard.press("End");
        assert.notEqual(await focused(), first);
        await page.keyboard.press("Home");
        assert.equal(await focused(), first);
        await page.keyboard.press("ArrowRight");
        await page.keyboard.press("ArrowDown");
        assert.match(await focused(), /^<img src=x onerror=alert\(2\)>/);
        await page.keyboard.press("Backspace");
        assert.deepEqual(await crumbs(), ["/"]);
        // One tile is a stop for the Tab key, not each of them.
        assert.equal(
          await page.locator('#treemap > [tabindex="0"]').count(),
          1,
        );
      });
      await t.step("search finds paths, and shows them", async () => {
        await page.keyboard.press("/");
        await page.keyboard.type("LIB so");
        assert.equal(
          await page.locator("#search-status").innerText(),
          "2 paths",
        );
        assert.deepEqual(
          await page.locator("#results .path").allTextContents(),
          ["/usr/lib/big.so", "/usr/lib/small.so"],
        );
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        assert.deepEqual(await crumbs(), ["/", "usr", "lib"]);
        assert.equal(
          await tile(page, "small.so").getAttribute("aria-pressed"),
          "true",
        );
        await page.fill("#search", "*.s?");
        assert.equal(await page.locator("#results li").count(), 2);
        await page.fill("#search", "nothing like it");
        assert.equal(
          await page.locator("#search-status").innerText(),
          "0 paths",
        );
        await page.locator("#search").press("Escape");
        assert.equal(await page.locator("#results li").count(), 0);
      });
      await t.step("documents are printed when they are opened", async () => {
        const manifest = page.locator("#documents details", {
          hasText: "metadata.yaml",
        });
        await manifest.locator("summary").click();
        assert.match(
          await manifest.locator("pre:not(:empty)").innerText(),
          /^\{\n {2}"architecture": "x86_64"/,
        );
        assert.equal(await page.locator("#documents details").count(), 10);
      });
      await t.step("packages are listed when they are opened", async () => {
        const packages = page.locator("#packages details");
        assert.equal(await packages.count(), 1);
        await packages.locator("summary").click();
        await packages.locator("tbody th").first().waitFor();
        assert.deepEqual(await packages.locator("tbody th").allTextContents(), [
          EVIL,
          "b",
        ]);
      });
      await t.step("a screen reader finds names for all", async () => {
        const nameless = await page.evaluate(() =>
          [...document.querySelectorAll("button, input, section, nav, [role]")]
            .filter((node) =>
              !node.getAttribute("aria-label") && !node.textContent?.trim() &&
              !node.getAttribute("aria-labelledby") &&
              !document.querySelector(`label[for="${node.id}"]`) &&
              node.getAttribute("role") !== "status"
            ).map((node) => node.outerHTML)
        );
        assert.deepEqual(nameless, []);
        assert.equal(await page.locator("html").getAttribute("lang"), "en");
        assert.equal(await page.locator("h1").count(), 1);
      });
    });
  },
});

Deno.test({
  name: "The page fits a phone, and knows light and dark",
  ignore,
  async fn() {
    const address = await pageOf("phone", SMALL);
    const colours: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const viewport = { width: 360, height: 740 };
      await withPage(address, { viewport, colorScheme }, async (page) => {
        const width = await page.evaluate(() =>
          document.documentElement.scrollWidth
        );
        assert.ok(width <= 360, `It is ${width} pixels wide`);
        await tile(page, "usr/").click();
        assert.equal(await page.locator("#crumbs li").count(), 2);
        colours.push(
          await page.evaluate(() =>
            getComputedStyle(document.body).backgroundColor
          ),
        );
      });
    }
    assert.notEqual(colours[0], colours[1]);
  },
});

Deno.test({
  name: "The page of 100,000 files is painted in 2 s, and searched in 100 ms",
  ignore,
  async fn() {
    const entries: TarEntry[] = [];
    for (let i = 0; i < 100_000; i++) {
      const name = `usr/lib${i % 7}/package-${
        i % 331
      }/node_modules/index-${i}.js`;
      entries.push({ name, size: 0 });
    }
    entries[0]!.data = "x".repeat(5000);
    delete entries[0]!.size;
    const address = await pageOf("large", entries);
    await withPage(address, {}, async (page) => {
      const painted = await page.evaluate(() =>
        performance.getEntriesByName("first-contentful-paint")[0]!.startTime
      );
      assert.ok(painted < 2000, `The first paint took ${painted} ms`);
      const times: number[] = await page.evaluate(async () => {
        const field = document.querySelector<HTMLInputElement>("#search")!;
        const times: number[] = [];
        // The machine may have something else to do at one of them: each one's
        // best time counts.
        for (let round = 0; round < 3; round++) {
          field.value = "";
          for (const [i, letter] of [..."index js 99 *9.js"].entries()) {
            field.value += letter;
            const start = performance.now();
            field.dispatchEvent(new Event("input"));
            void document.body.offsetHeight;
            const time = performance.now() - start;
            times[i] = Math.min(times[i] ?? Infinity, time);
            await new Promise((resolve) => setTimeout(resolve, 0));
          }
        }
        return times;
      });
      const sorted = times.toSorted((a, b) => a - b);
      const usual = sorted[Math.floor(0.75 * sorted.length)]!;
      assert.ok(usual < 100, `Keystrokes took ${sorted.join(", ")} ms`);
      console.log(
        `first paint ${painted.toFixed()} ms, keystroke ${
          sorted[sorted.length >> 1]!.toFixed()
        } ms, at most ${sorted.at(-1)!.toFixed()}`,
      );
    });
  },
});
