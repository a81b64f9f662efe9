import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { type JsonObject, keyOf } from "../formats/json_object.ts";
import { environmentFault } from "../formats/values/environment.ts";
import { parseExposedPort, portKey } from "../formats/values/port.ts";
import { stopSignal } from "../formats/values/signal.ts";
import { parseUser } from "../formats/values/user.ts";
import type {
  Fault,
  Healthcheck,
  ImageFields,
  Oddity,
} from "../image/image.ts";
import {
  anyObject,
  integer,
  list,
  object,
  optional,
  type Place,
  record,
  type Shape,
  text,
} from "./shape.ts";

/** Says which faces have a value that only Docker understands. */
const KEPT = "only the faces docker, docker-v1 and oci keep it";

/** Words, or one word: Docker takes both. */
const words: Shape<string[]> = (value, place) =>
  typeof value === "string" ? [value] : list(text)(value, place);

/** A health check as Docker has it; times are in nanoseconds. */
const HEALTHCHECK = object({
  Test: optional(list(text)),
  Interval: optional(integer),
  Timeout: optional(integer),
  StartPeriod: optional(integer),
  StartInterval: optional(integer),
  Retries: optional(integer),
});

/** Reads the `config` object of an image config. */
export class ProcessReader {
  /** What the object says and the fields do not. */
  readonly oddities: Oddity[] = [];
  /** What has a shape that no engine reads. */
  readonly faults: Fault[] = [];
  readonly #process: JsonObject;
  readonly #place: Place;

  /**
   * @param process The object.
   * @param place Where it is.
   */
  constructor(process: JsonObject, place: Place) {
    this.#process = process;
    this.#place = place;
  }

  /** The fields that the object sets; those that it does not set are undefined. */
  fields(): ImageFields {
    return {
      command: filled(this.#read("command", "Cmd", words)),
      entrypoint: this.#entrypoint(),
      env: this.#env(),
      workdir: this.#workdir(),
      user: this.#user(),
      labels: this.#labels(),
      exposedPorts: this.#ports(),
      volumes: this.#volumes(),
      stopSignal: this.#stopSignal(),
      healthcheck: this.#healthcheck(),
      shell: filled(this.#read("shell", "Shell", words)),
      onBuild: filled(this.#read("onBuild", "OnBuild", list(text))),
    };
  }

  /**
   * Reads a field.
   *
   * @returns `undefined` if it is a fault, which is then listed.
   */
  take<T>(field: keyof ImageFields, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.faults.push({ field, message: error.message });
      return undefined;
    }
  }

  #read<T>(
    field: keyof ImageFields,
    name: string,
    shape: Shape<T>,
  ): T | undefined {
    const key = keyOf(this.#process, name) ?? name;
    return this.take(
      field,
      () => optional(shape)(this.#process[key], this.#place.at(key)),
    );
  }

  #odd(field: keyof ImageFields, note: string): void {
    // One of a kind is enough: an image can have thousands.
    if (this.oddities.some((oddity) => oddity.field === field)) return;
    this.oddities.push({ field, note });
  }

  /** Docker takes one empty word for none. */
  #entrypoint(): string[] | undefined {
    const found = filled(this.#read("entrypoint", "Entrypoint", words));
    return found?.length === 1 && found[0] === "" ? undefined : found;
  }

  #env(): string[] | undefined {
    const entries = this.#read("env", "Env", list(text));
    return filled(
      entries?.filter((entry, i) => {
        const fault = environmentFault(entry, i);
        if (fault) this.#odd("env", `${fault}; ${KEPT}`);
        return !fault;
      }),
    );
  }

  #workdir(): string | undefined {
    const path = this.#read("workdir", "WorkingDir", text);
    if (!path) return undefined;
    if (path.includes("\0")) {
      this.#odd("workdir", `The working directory holds a NUL; ${KEPT}`);
      return undefined;
    }
    if (path.startsWith("/")) return path;
    const absolute = `/${path.replace(/^(\.(\/+|$))+/, "")}`;
    this.#odd(
      "workdir",
      `The working directory ${shown(path)} is not absolute: the faces appc, ` +
        `bundle and lxd have ${shown(absolute)} instead`,
    );
    return absolute;
  }

  #user(): string | undefined {
    const user = this.#read("user", "User", text);
    if (!user) return undefined;
    if (unlessRefused(() => parseUser(user))) return user;
    this.#odd(
      "user",
      `The user ${shown(user)} is not USER or USER:GROUP; ${KEPT}`,
    );
    return undefined;
  }

  #labels(): Record<string, string> | undefined {
    // Go reads null as an empty text.
    const labels = this.#read("labels", "Labels", record(optional(text)));
    if (!labels || labels.size === 0) return undefined;
    return Object.fromEntries(
      [...labels].map(([key, value]) => [key, value ?? ""]),
    );
  }

  #ports(): string[] | undefined {
    const ports = this.#read("exposedPorts", "ExposedPorts", anyObject);
    const found = new Set<string>();
    for (const text of Object.keys(ports ?? {})) {
      try {
        found.add(portKey(parseExposedPort(text)));
      } catch (error) {
        this.#odd("exposedPorts", `${(error as Error).message}; ${KEPT}`);
      }
    }
    return filled([...found]);
  }

  #volumes(): string[] | undefined {
    const volumes = this.#read("volumes", "Volumes", anyObject);
    const found = new Set<string>();
    for (const path of Object.keys(volumes ?? {})) {
      if (path === "" || path.includes("\0")) {
        this.#odd("volumes", `The volume ${shown(path)} is no path; ${KEPT}`);
      } else found.add(path.startsWith("/") ? path : `/${path}`);
    }
    return filled([...found]);
  }

  #stopSignal(): string | undefined {
    const signal = this.#read("stopSignal", "StopSignal", text);
    if (!signal) return undefined;
    if (unlessRefused(() => stopSignal(signal)) !== undefined) return signal;
    this.#odd(
      "stopSignal",
      `The stop signal ${shown(signal)} is not one of Linux's; ${KEPT}`,
    );
    return undefined;
  }

  #healthcheck(): Healthcheck | undefined {
    const check = this.#read("healthcheck", "Healthcheck", HEALTHCHECK);
    const test = filled(check?.Test);
    if (!check || !test) return undefined;
    // Zero counts as not set.
    const seconds = (count: number | undefined) => count ? count / 1e9 : count;
    const found: Healthcheck = {
      test,
      interval: seconds(check.Interval),
      timeout: seconds(check.Timeout),
      startPeriod: seconds(check.StartPeriod),
      startInterval: seconds(check.StartInterval),
      retries: check.Retries,
    };
    return Object.fromEntries(
      Object.entries(found).filter(([, value]) => value),
    ) as unknown as Healthcheck;
  }
}

function filled<T>(list: T[] | undefined): T[] | undefined {
  return list && list.length > 0 ? list : undefined;
}
