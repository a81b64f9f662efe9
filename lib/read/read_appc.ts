import { InputError } from "../errors/input_error.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { goArchitectureOfAppc } from "../formats/values/arch.ts";
import { environmentFault } from "../formats/values/environment.ts";
import { absolutePath } from "../formats/values/path.ts";
import { goArchitecture } from "../formats/values/platform.ts";
import { parseExposedPort, portKey } from "../formats/values/port.ts";
import { parseRfc3339 } from "../formats/values/time.ts";
import type { AppcFields, BaseImage, ImageFields } from "../image/image.ts";
import { parseJson } from "../formats/json_text.ts";
import {
  anyObject,
  anything,
  list,
  number,
  object,
  optional,
  Place,
  record,
  text,
} from "./shape.ts";

/** What an appc image manifest says. */
export interface AppcImage {
  /** The image's name with its tag. */
  name: string;
  /** What it says of the image. */
  base: BaseImage;
  /** Annotations, without those that are fields. */
  annotations?: Record<string, string>;
  /** Absolute paths of the files that are shown, where others are hidden. */
  visible?: string[];
}

/** What OCI calls annotations that appc defines. */
const OCI_NAMES = new Map([
  ["homepage", "org.opencontainers.image.url"],
  ["documentation", "org.opencontainers.image.documentation"],
]);

const NAME_VALUE = object({ name: text, value: text });

const APP = object({
  exec: optional(list(text)),
  user: optional(text),
  group: optional(text),
  supplementaryGIDs: optional(list(number)),
  environment: optional(list(NAME_VALUE)),
  workingDirectory: optional(text),
  mountPoints: optional(list(object({ name: text, path: text }))),
  ports: optional(list(object({
    name: text,
    port: number,
    protocol: text,
    count: optional(number),
  }))),
  userLabels: optional(record(text)),
  isolators: optional(list(object({ name: text, value: anything }))),
  eventHandlers: optional(list(object({ name: text, exec: list(text) }))),
});

const MANIFEST = object({
  name: text,
  labels: optional(list(NAME_VALUE)),
  annotations: optional(list(NAME_VALUE)),
  dependencies: optional(list(anything)),
  pathWhitelist: optional(list(text)),
  app: optional(APP),
});

type App = ReturnType<typeof APP>;

/** Fields of `app` that an {@linkcode Image} has, or {@linkcode AppcFields} by name. */
const KNOWN = new Set(
  "exec user group supplementaryGIDs environment workingDirectory mountPoints ports userLabels"
    .split(" "),
);

/** Labels that an {@linkcode Image} has fields for. */
const KNOWN_LABELS = new Set(["version", "os", "arch"]);

/**
 * Reads an appc image manifest: the inverse of {@linkcode appcManifest}.
 *
 * @param source JSON.
 * @returns What it says, in this project's words.
 * @throws {InputError} If it is no manifest, or needs other images.
 *
 * @see {@link https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema}
 */
export function readAppcManifest(source: string): AppcImage {
  const document = parseJson("manifest", source);
  const place = new Place("manifest");
  const manifest = MANIFEST(document, place);
  if (manifest.dependencies?.length) {
    throw new InputError(
      "The ACI depends on other ACIs; render it to one first",
    );
  }
  const { app, labels = [], annotations = [] } = manifest;
  const label = (name: string) =>
    // An empty one says as much as none.
    labels.find((label) => label.name === name)?.value || undefined;
  const note = (name: string) =>
    annotations.find((note) => note.name === name)?.value;
  const fields: ImageFields = {
    ...(app && appFields(app, place.at("app"))),
    author: note("authors"),
    created: seconds(note("created")),
    // Documents of the other formats spell it so too.
    os: label("os")?.toLowerCase(),
    ...architecture(label("arch")),
  };
  const others = annotations.filter(({ name }) =>
    name !== "created" && name !== "authors"
  );
  const visible = filled(manifest.pathWhitelist);
  const own = labels.filter(({ name }) => !KNOWN_LABELS.has(name));
  const parts: AppcFields = {
    ...appParts((document as { app?: unknown }).app),
    ...(own.length > 0 && { labels: own }),
  };
  return {
    name: `${manifest.name}:${label("version") ?? "latest"}`,
    base: {
      fields: Object.fromEntries(
        Object.entries(fields).filter(([, value]) => value !== undefined),
      ),
      appc: parts,
    },
    ...(others.length > 0 && {
      annotations: Object.fromEntries(
        others.map(({ name, value }) => [OCI_NAMES.get(name) ?? name, value]),
      ),
    }),
    ...(visible && { visible }),
  };
}

function appFields(app: App, place: Place): ImageFields {
  const { user, group, environment, workingDirectory } = app;
  if (user?.startsWith("/") || group?.startsWith("/")) {
    throw new InputError(
      "The ACI takes its user from the owner of a file: give its manifest a " +
        "name or a number",
    );
  }
  const env = filled(environment)?.map(({ name, value }) => `${name}=${value}`);
  for (const [i, entry] of env?.entries() ?? []) {
    const fault = environmentFault(entry, i);
    if (fault) {
      throw new InputError(`${place.at("environment").text}: ${fault}`);
    }
  }
  const path = (field: string, value: string) =>
    valid(place.at(field), () => absolutePath("The path", value));
  return {
    command: filled(app.exec),
    env,
    // Root is what an image without a user runs as.
    user: !user || (user === "0" && (!group || group === "0"))
      ? undefined
      : group
      ? `${user}:${group}`
      : user,
    workdir: workingDirectory
      ? path("workingDirectory", workingDirectory)
      : undefined,
    volumes: filled([
      ...new Set(
        app.mountPoints?.map(({ path: at }) => path("mountPoints", at)),
      ),
    ]),
    exposedPorts: filled([
      ...new Set(
        app.ports?.map(({ port, protocol, count }) =>
          valid(place.at("ports"), () => {
            const last = port + (count || 1) - 1;
            const range = last > port ? `${port}-${last}` : port;
            return portKey(parseExposedPort(`${range}/${protocol}`));
          })
        ),
      ),
    ]),
    labels: app.userLabels?.size
      ? Object.fromEntries(app.userLabels)
      : undefined,
  };
}

/** Makes an error name the place. */
function valid<T>(place: Place, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new InputError(`${place.text}: ${(error as Error).message}`);
  }
}

/** What the appc face alone has; its shape has been checked. */
function appParts(value: unknown): AppcFields {
  if (value === undefined || value === null) return {};
  const app = anyObject(value, new Place("manifest"));
  const { supplementaryGIDs, mountPoints, ports } = app as AppcFields;
  const others = Object.entries(app).filter(([name, value]) =>
    !KNOWN.has(name) && value !== null
  );
  return {
    ...(supplementaryGIDs?.length && { supplementaryGIDs }),
    ...(mountPoints?.length && { mountPoints }),
    ...(ports?.length && { ports }),
    ...(others.length > 0 && { app: Object.fromEntries(others) }),
  };
}

function architecture(name: string | undefined): ImageFields {
  if (!name) return {};
  // appc has other names for some systems.
  return unlessRefused(() => goArchitectureOfAppc(name)) ??
    goArchitecture(name);
}

function filled<T>(list: T[] | undefined): T[] | undefined {
  return list && list.length > 0 ? list : undefined;
}

/** Whole seconds; a time that appc refuses counts for nothing. */
function seconds(time: string | undefined): number | undefined {
  const seconds = unlessRefused(() => parseRfc3339(time ?? ""));
  return seconds === undefined || seconds < 0 ? undefined : Math.floor(seconds);
}
