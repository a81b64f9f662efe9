import type { Image } from "../../lib/image/image.ts";
import type { Layer } from "../../lib/image/layer.ts";

/** An image that sets every field. */
export const FULL: Image = {
  names: ["isoc/hello:1.0", "isoc/hello", "localhost:5000/app/hello:1.0"],
  entrypoint: ["/bin/busybox"],
  command: ["echo", "make container not war"],
  env: ["GREETING=hello world", "EMPTY=", "GREETING=hi"],
  workdir: "/srv/work",
  user: "1000:1001",
  labels: { "org.example.Team_name": "blue", "a__b": "1" },
  annotations: { "Foo Bar": "q", created: "by me" },
  exposedPorts: ["8080", "53/udp", "8080/tcp"],
  volumes: ["/var/lib/data", "/data"],
  stopSignal: "SIGINT",
  healthcheck: {
    test: ["CMD", "/bin/true"],
    interval: 5,
    timeout: 0.5,
    startPeriod: 1.25,
    retries: 2,
  },
  shell: ["/bin/sh", "-ec"],
  author: "Jane <jane@example.com>",
  created: 1433851200,
  os: "linux",
  architecture: "arm",
  variant: "v6",
  history: "made by hand",
};

/** An image that sets no field it can do without. */
export const PLAIN: Image = {
  names: ["hello"],
  created: 0,
  architecture: "amd64",
};

export const PATH =
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export const LAYERS: Layer[] = [
  { digest: "a".repeat(64), size: 1024 },
  { digest: "b".repeat(64), size: 2048 },
];
