import { DescriptionError } from "../../../lib/errors/description_error.ts";
import assert from "node:assert/strict";
import {
  exposedPorts,
  parseExposedPort,
  portKey,
  portKeys,
} from "../../../lib/formats/values/port.ts";
import { PLAIN } from "../../support/sample_image.ts";

Deno.test("parseExposedPort() reads a port and its protocol", () => {
  const one = (port: number, protocol: string) => ({
    port,
    count: 1,
    protocol,
  });
  assert.deepEqual(parseExposedPort("80"), one(80, "tcp"));
  assert.deepEqual(parseExposedPort("65535/udp"), one(65535, "udp"));
  assert.deepEqual(parseExposedPort("1/sctp"), one(1, "sctp"));
  assert.deepEqual(parseExposedPort("80/TCP"), one(80, "tcp"));
});

Deno.test("parseExposedPort() reads a range", () => {
  const range = { port: 8000, count: 3, protocol: "tcp" };
  assert.deepEqual(parseExposedPort("8000-8002"), range);
  assert.deepEqual(parseExposedPort("8000-8002/TCP"), range);
  assert.equal(parseExposedPort("7-7/udp").count, 1);
  assert.equal(parseExposedPort("1-65535").count, 65535);
  for (const text of ["8002-8000", "0-5", "1-65536", "1-", "1-2-3"]) {
    assert.throws(() => parseExposedPort(text), DescriptionError, text);
  }
});

Deno.test("parseExposedPort() refuses other texts", () => {
  for (
    const text of ["", "http", "80/", "80/icmp", "-1", "1.5", " 1"]
  ) {
    assert.throws(() => parseExposedPort(text), DescriptionError, text);
  }
});

Deno.test("parseExposedPort() refuses numbers out of bounds", () => {
  for (const text of ["0", "65536", "99999999999999999999/udp"]) {
    assert.throws(() => parseExposedPort(text), DescriptionError, text);
  }
});

Deno.test("exposedPorts() lists each port once", () => {
  const image = { ...PLAIN, exposedPorts: ["80", "53/udp", "80/tcp", "080"] };
  assert.deepEqual(exposedPorts(image), [
    { port: 80, count: 1, protocol: "tcp" },
    { port: 53, count: 1, protocol: "udp" },
  ]);
  assert.deepEqual(exposedPorts(PLAIN), []);
});

Deno.test("portKey() writes PORT/PROTOCOL", () => {
  assert.equal(portKey({ port: 53, count: 1, protocol: "udp" }), "53/udp");
  const range = { port: 53, count: 2, protocol: "udp" } as const;
  assert.equal(portKey(range), "53-54/udp");
  assert.deepEqual(portKeys(range), ["53/udp", "54/udp"]);
});
