import assert from "node:assert/strict";
import { hasProxies, proxyOf } from "../../lib/system/proxies.ts";

const through = (url: string, variables: Record<string, string>) =>
  proxyOf(new URL(url), (name) => variables[name])?.href;

Deno.test("proxyOf() takes the proxy of a URL's scheme", () => {
  const both = { HTTP_PROXY: "http://a:1", https_proxy: "me:x@b:2" };
  assert.equal(through("http://x.example/", both), "http://a:1/");
  assert.equal(through("https://x.example/", both), "http://me:x@b:2/");
  assert.equal(through("https://x.example/", { HTTP_PROXY: "a" }), undefined);
  assert.equal(through("http://x.example/", { ALL_PROXY: "c" }), "http://c/");
  assert.ok(!hasProxies(() => ""));
});

Deno.test("proxyOf() reads each form of NO_PROXY", () => {
  const near = (host: string, list: string) =>
    through(`http://${host}/`, { HTTP_PROXY: "p", NO_PROXY: list }) ===
      undefined;
  const cases: [list: string, near: string[], far: string[]][] = [
    ["*", ["x.example", "[fd00::1]"], []],
    ["X.example", ["x.example:5", "a.x.example"], ["ax.example", "example"]],
    [".x.example,*.y.example", ["x.example", "a.y.example"], ["z.example"]],
    ["x.example:5", ["x.example:5"], ["x.example", "x.example:6"]],
    ["10.1.2.3", ["10.1.2.3:5"], ["10.1.2.4"]],
    ["a 10.0.0.0/8", ["10.1.2.3"], ["11.1.2.3", "[fd00::1]", "x.example"]],
    ["10.0.0.0/99", [], ["10.1.2.3"]],
    ["fd00::1", ["[fd00::1]", "[fd00:0::1]:5"], ["[fd00::2]", "10.0.0.1"]],
    ["[fd00::1]:5", ["[fd00::1]:5"], ["[fd00::1]"]],
    ["fd00::/8", ["[fd12::1]"], ["[fe80::1]"]],
  ];
  for (const [list, nears, fars] of cases) {
    for (const host of nears) assert.ok(near(host, list), `${host} ${list}`);
    for (const host of fars) assert.ok(!near(host, list), `${host} ${list}`);
  }
});

Deno.test("proxyOf() shows no password of a proxy that it does not take", () => {
  for (const proxy of ["http://me:secret@[::", "socks5://me:secret@a"]) {
    assert.throws(
      () => through("http://x.example/", { HTTP_PROXY: proxy }),
      (error: Error) =>
        error.name === "InputError" && !error.message.includes("secret"),
    );
  }
});
