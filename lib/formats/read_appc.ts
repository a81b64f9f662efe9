import { goArchitectureOfAppc } from "./arch.ts";
import type { ImageFields } from "./read_config.ts";
import { parseRfc3339 } from "./rfc3339.ts";

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
    ports?: { port: number; protocol: string }[];
    userLabels?: Record<string, string>;
  };
}

/**
 * Reads an appc image manifest: the inverse of {@linkcode appcManifest}.
 *
 * @param text JSON.
 * @returns The image's name with its tag, and the fields that are set.
 * @throws {SyntaxError} If it is no manifest, or needs other images.
 *
 * @see {@link https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema}
 */
export function readAppcManifest(
  text: string,
): { name: string; fields: ImageFields } {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `The appc manifest is no JSON: ${(error as Error).message}`,
    );
  }
  if (typeof manifest?.name !== "string") {
    throw new SyntaxError("The appc manifest has no name");
  }
  if (manifest.dependencies?.length) {
    throw new SyntaxError(
      "The ACI depends on other ACIs; render it to one first",
    );
  }
  const { app } = manifest;
  const label = (name: string) =>
    manifest.labels?.find((label) => label.name === name)?.value;
  const note = (name: string) =>
    manifest.annotations?.find((note) => note.name === name)?.value;
  const { user, group } = app ?? {};
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
    exposedPorts: filled(app?.ports)?.map(({ port, protocol }) =>
      `${port}/${protocol}`
    ),
    labels: app?.userLabels,
    author: note("authors"),
    created: seconds(note("created")),
    os: label("os"),
    ...(arch && goArchitectureOfAppc(arch)),
  };
  return {
    name: `${manifest.name}:${label("version") ?? "latest"}`,
    fields: Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined),
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
