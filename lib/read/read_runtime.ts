import { InputError } from "../errors/input_error.ts";
import { environmentFault } from "../formats/values/environment.ts";
import { appcName } from "../formats/values/appc_name.ts";
import { goArchitecture } from "../formats/values/platform.ts";
import { isGoTime, parseRfc3339 } from "../formats/values/time.ts";
import type { ImageFields } from "../image/image.ts";
import { parseJson } from "../formats/json_text.ts";
import {
  list,
  number,
  object,
  optional,
  Place,
  record,
  text,
} from "./shape.ts";

const CONFIG = object({
  hostname: optional(text),
  process: optional(object({
    args: optional(list(text)),
    env: optional(list(text)),
    cwd: optional(text),
    user: optional(object({ uid: optional(number), gid: optional(number) })),
  })),
  annotations: optional(record(text)),
});

const PREFIX = "org.opencontainers.image.";

/**
 * Reads what a runtime bundle's `config.json` says of its image: the process
 * and the annotations. Hooks, mounts, devices, rights and the like are not
 * read: they are orders to the machine that runs it, and nobody knows who gave
 * them.
 *
 * @param source JSON.
 * @returns The image's name and the fields that are set.
 * @throws {InputError} If it has another shape.
 *
 * @see {@link https://github.com/opencontainers/runtime-spec/blob/v1.0.0/config.md}
 */
export function readRuntimeConfig(
  source: string,
): { name: string; fields: ImageFields } {
  const place = new Place("config.json");
  const found = CONFIG(parseJson("config.json", source), place);
  const { hostname, process, annotations = new Map<string, string>() } = found;
  const { args = [], env = [], cwd = "/", user } = process ?? {};
  const fault = env.map(environmentFault).find((fault) => fault);
  if (fault) throw new InputError(`config.json: process.env: ${fault}`);
  if (!cwd.startsWith("/")) {
    throw place.at("process").at("cwd").wrong(cwd, "an absolute path");
  }
  const { uid = 0, gid = 0 } = user ?? {};
  const labels = [...annotations].filter(([key]) => !key.startsWith(PREFIX));
  const note = (name: string) => annotations.get(`${PREFIX}${name}`);
  const created = note("created");
  const architecture = note("architecture");
  return {
    name: `${appcName(hostname ?? "", "name")}:latest`,
    fields: {
      ...(args.length > 0 && { command: args }),
      ...(env.length > 0 && { env }),
      ...(cwd !== "/" && { workdir: cwd }),
      ...((uid !== 0 || gid !== 0) && { user: `${uid}:${gid}` }),
      ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
      ...(created && isGoTime(created) && {
        created: Math.max(0, parseRfc3339(created)),
      }),
      ...(architecture && goArchitecture(architecture, note("variant"))),
    },
  };
}
