import { parseJson } from "../formats/json_text.ts";
import { InputError } from "../errors/input_error.ts";
import { goArchitectureOfAppc } from "../formats/values/arch.ts";
import type { ImageFields } from "./read_config.ts";
import { parseRfc3339 } from "../formats/values/time.ts";

type NameValue = { name: string; value: string };

/** The parts of an appc image manifest that an image can take over. */
interface Manifest {
  name?: string;
  labels?: NameValue[];
  annotations?: NameValue[];
  dependencies?: unknown[];
  pathWhitelist?: string[];
  app?: {
    exec?: string[];
    user?: string;
    group?: string;
    environment?: NameValue[];
    workingDirectory?: string;
    mountPoints?: { path: string }[];
    ports?: { port: number; protocol: string; count?: number }[];
    userLabels?: Record<string, string>;
    isolators?: unknown[];
    eventHandlers?: unknown[];
  };
}

/** What an appc image manifest says. */
export interface AppcImage {
  /** The image's name with its tag. */
  name: string;
  /** The fields that are set. */
  fields: ImageFields;
  /** Annotations, without those that are fields. */
  annotations?: Record<string, string>;
  /** Absolute paths of the files that are shown, where others are hidden. */
  visible?: string[];
  /** What the other formats cannot say, in sentences. */
  notes: string[];
}

/** What OCI calls annotations that appc defines. */
const OCI_NAMES = new Map([
  ["homepage", "org.opencontainers.image.url"],
  ["documentation", "org.opencontainers.image.documentation"],
]);

/** Ports at most that one entry may stand for. */
const MAX_PORTS = 1024;

/**
 * Reads an appc image manifest: the inverse of {@linkcode appcManifest}.
 *
 * @param text JSON.
 * @returns What it says, in this project's words.
 * @throws {InputError} If it is no manifest, or needs other images.
 *
 * @see {@link https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema}
 */
export function readAppcManifest(text: string): AppcImage {
  const manifest = parseJson("The appc manifest", text) as Manifest;
  if (typeof manifest?.name !== "string") {
    throw new InputError("The appc manifest has no name");
  }
  if (manifest.dependencies?.length) {
    throw new InputError(
      "The ACI depends on other ACIs; render it to one first",
    );
  }
  const { app } = manifest;
  const label = (name: string) =>
    manifest.labels?.find((label) => label.name === name)?.value;
  const note = (name: string) =>
    manifest.annotations?.find((note) => note.name === name)?.value;
  const { user, group } = app ?? {};
  if (user?.startsWith("/") || group?.startsWith("/")) {
    throw new InputError(
      "The ACI takes its user from the owner of a file: give its manifest a " +
        "name or a number",
    );
  }
  const arch = label("arch");
  const fields: ImageFields = {
    command: filled(app?.exec),
    env: filled(app?.environment)?.map(({ name, value }) => `${name}=${value}`),
    // Root is what an image without a user runs as.
    user: !user || (user === "0" && (!group || group === "0"))
      ? undefined
      : group
      ? `${user}:${group}`
      : user,
    workdir: app?.workingDirectory,
    volumes: filled(app?.mountPoints)?.map(({ path }) => path),
    exposedPorts: filled(app?.ports)?.flatMap(({ port, protocol, count }) =>
      Array.from(
        { length: Math.min(count || 1, MAX_PORTS) },
        (_, i) => `${port + i}/${protocol}`,
      )
    ),
    labels: app?.userLabels,
    author: note("authors"),
    created: seconds(note("created")),
    os: label("os"),
    ...(arch && goArchitectureOfAppc(arch)),
  };
  const others = manifest.annotations?.filter(({ name }) =>
    name !== "created" && name !== "authors"
  );
  const visible = filled(manifest.pathWhitelist);
  return {
    name: `${manifest.name}:${label("version") ?? "latest"}`,
    fields: Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined),
    ),
    ...(filled(others) && {
      annotations: Object.fromEntries(
        others!.map(({ name, value }) => [OCI_NAMES.get(name) ?? name, value]),
      ),
    }),
    ...(visible && { visible }),
    notes: (["isolators", "eventHandlers"] as const)
      .filter((key) => app?.[key]?.length)
      .map((key) =>
        `The ACI's ${key} are left out: other formats have no such thing`
      ),
  };
}

function filled<T>(list: T[] | undefined): T[] | undefined {
  return list && list.length > 0 ? list : undefined;
}

/** Whole seconds; a time that appc would refuse says nothing. */
function seconds(time: string | undefined): number | undefined {
  try {
    const seconds = Math.floor(parseRfc3339(time ?? ""));
    return seconds >= 0 ? seconds : undefined;
  } catch {
    return undefined;
  }
}
