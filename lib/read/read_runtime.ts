import { InputError } from "../errors/input_error.ts";
import { environmentFault } from "../formats/values/environment.ts";
import { appcName } from "../formats/values/appc_name.ts";
import { goArchitecture } from "../formats/values/platform.ts";
import { isGoTime, parseRfc3339 } from "../formats/values/time.ts";
import type { ImageFields } from "../image/image.ts";
import { parseJson } from "../formats/json_text.ts";
import {
  anyObject,
  integer,
  list,
  object,
  optional,
  Place,
  record,
  text,
  truth,
} from "./shape.ts";

const CONFIG = object({
  hostname: optional(text),
  root: optional(object({ path: optional(text) })),
  process: optional(object({
    terminal: optional(truth),
    args: optional(list(text)),
    env: optional(list(text)),
    cwd: optional(text),
    user: optional(object({
      uid: optional(integer),
      gid: optional(integer),
      additionalGids: optional(list(integer)),
    })),
  })),
  hooks: optional(anyObject),
  annotations: optional(record(text)),
});

const PREFIX = "org.opencontainers.image.";

/** Linux has no larger number of a user; the last one means nobody. */
const MAX_ID = 0xfffffffe;

/** What a runtime bundle says of its image. */
export interface RuntimeImage {
  /** A name made of the host's name. */
  name: string;
  /** The same, if the bundle has a host's name. */
  names: string[];
  /** The directory of its files, as it is written. */
  root: string;
  /** The fields that are set. */
  fields: ImageFields;
  /** What is left out, in sentences. */
  notes: string[];
}

/**
 * Reads what a runtime bundle's `config.json` says of its image: the process
 * and the annotations. Hooks, mounts, devices, rights and the like are not
 * read: they are orders to the machine that runs it, and nobody knows who gave
 * them.
 *
 * @param source JSON.
 * @returns The image's name, and what is set.
 * @throws {InputError} If it has another shape.
 *
 * @see {@link https://github.com/opencontainers/runtime-spec/blob/v1.0.0/config.md}
 */
export function readRuntimeConfig(source: string): RuntimeImage {
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
  for (const [key, id] of Object.entries({ uid, gid })) {
    if (id >= 0 && id <= MAX_ID) continue;
    throw place.at("process").at("user").at(key).wrong(
      id,
      `from 0 to ${MAX_ID}`,
    );
  }
  const labels = [...annotations].filter(([key]) => !key.startsWith(PREFIX));
  const note = (name: string) => annotations.get(`${PREFIX}${name}`);
  const created = note("created");
  const architecture = note("architecture");
  const name = `${appcName(hostname ?? "", "name")}:latest`;
  return {
    name,
    names: hostname ? [name] : [],
    root: found.root?.path ?? "rootfs",
    notes: [...notesOf(found)],
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

/** What of a bundle an image cannot say. */
function* notesOf(
  { process, hooks }: ReturnType<typeof CONFIG>,
): Generator<string> {
  if (hooks && Object.keys(hooks).length > 0) {
    yield "config.json has hooks, which run programs on the host: they are " +
      "left out";
  }
  if (process?.terminal) {
    yield "config.json wants a terminal, which an image cannot say: run it " +
      "with one, such as docker run -it";
  }
  const gids = process?.user?.additionalGids ?? [];
  if (gids.length > 0) {
    yield `config.json has ${gids.length} further groups of the user, which ` +
      "are left out: an image has them from /etc/group";
  }
}
