import { DescriptionError } from "../../../lib/errors/description_error.ts";
import assert from "node:assert/strict";
import {
  exposedPorts,
  parseExposedPort,
  portKey,
} from "../../../lib/formats/values/port.ts";
import { PLAIN } from "../../support/sample_image.ts";

Deno.test("parseExposedPort() reads a port and its protocol", () => {
  assert.deepEqual(parseExposedPort("80"), { port: 80, protocol: "tcp" });
  assert.deepEqual(parseExposedPort("65535/udp"), {
    port: 65535,
    protocol: "udp",
  });
  assert.deepEqual(parseExposedPort("1/sctp"), { port: 1, protocol: "sctp" });
});

Deno.test("parseExposedPort() refuses other texts", () => {
  for (
    const text of ["", "http", "80/", "80/TCP", "80-90", "-1", "1.5", " 1"]
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
    { port: 80, protocol: "tcp" },
    { port: 53, protocol: "udp" },
  ]);
  assert.deepEqual(exposedPorts(PLAIN), []);
});

Deno.test("portKey() writes PORT/PROTOCOL", () => {
  assert.equal(portKey({ port: 53, protocol: "udp" }), "53/udp");
});
