import assert from "node:assert/strict";
import { unsupported } from "../../lib/formats/unsupported.ts";
import { FULL, PLAIN } from "../support/sample_image.ts";

Deno.test("unsupported() asks the format", () => {
  assert.deepEqual(unsupported(FULL, "oci"), []);
  assert.deepEqual(unsupported(FULL, "docker"), ["annotations"]);
  assert.deepEqual(unsupported(FULL, "docker-v1"), ["annotations"]);
  assert.ok(unsupported(FULL, "appc").includes("healthcheck"));
  assert.ok(unsupported(FULL, "bundle").includes("volumes"));
});

Deno.test("unsupported() names what only the appc face keeps", () => {
  const image = {
    ...PLAIN,
    base: {
      fields: {},
      appc: {
        supplementaryGIDs: [5],
        mountPoints: [{ name: "data", path: "/data", readOnly: true }],
        ports: [{ name: "http", port: 80, protocol: "tcp" }],
        labels: [{ name: "channel", value: "beta" }],
        app: { isolators: [], eventHandlers: [] },
      },
    },
  };
  const others = [
    "isolators",
    "eventHandlers",
    "supplementaryGIDs",
    "names of mountPoints",
    "readOnly",
    "names of ports",
    "further appc labels",
  ];
  assert.deepEqual(unsupported(image, "appc"), []);
  assert.deepEqual(unsupported(image, "oci"), others);
  // A runtime knows further groups.
  assert.deepEqual(
    unsupported(image, "bundle"),
    others.filter((name) => name !== "supplementaryGIDs"),
  );
});

Deno.test("unsupported() finds nothing in a plain image", () => {
  for (
    const format of [
      "appc",
      "docker",
      "docker-v1",
      "oci",
      "bundle",
      "lxd",
    ] as const
  ) assert.deepEqual(unsupported(PLAIN, format), [], format);
});
