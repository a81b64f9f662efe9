import { shown } from "../errors/shown.ts";
import { appcManifest, type NameValue } from "../formats/appc.ts";
import type { Image } from "../image/image.ts";
import { compareFields, type TellFace } from "./compare_fields.ts";
import type { Documents } from "./documents.ts";
import { idsOf, isUnnamed } from "./expected_image.ts";
import { shownJson } from "./same_json.ts";
import type { Json } from "./shape.ts";

/** Checks that the appc manifest says what the image config says. */
export function checkAppc(
  documents: Documents,
  image: Image,
  tell: TellFace,
): void {
  const { appc, oci } = documents;
  if (!appc?.isGood) return;
  const found = appc.value as Json;
  const app = (found.app ?? {}) as Json;
  const gids = app.supplementaryGIDs as number[] | undefined;
  const [executable] = (app.exec ?? []) as string[];
  const gid = Number(app.group);
  const wanted = appcManifest(image, {
    ids: idsOf(documents, image) ??
      { uid: 0, gid: gid >= 0 ? gid : 0, additionalGids: gids },
    ...(isCommand(image, executable) && { executable }),
  });
  compareFields(
    tell,
    { entry: "manifest", place: "app" },
    [asSets(wanted.app), asSets(app)],
    [
      ...["exec", "user", "group", "workingDirectory", "environment"],
      ...["mountPoints", "ports", "userLabels", "supplementaryGIDs"],
    ],
  );
  const expected = valuesOf(wanted.annotations);
  if (image.created === 0) expected.delete("created");
  checkAnnotations(
    tell,
    expected,
    valuesOf(found.annotations),
    oci.length > 0,
  );
  const labels = valuesOf(found.labels);
  for (const { name, value } of wanted.labels) {
    if (labels.get(name) === value || isUnnamed(image, name)) continue;
    tell(
      name === "version" ? "faces-names" : "faces-platform",
      "manifest",
      `its label ${name} is ${shown(labels.get(name) ?? "")}, not ${
        shown(value)
      }`,
    );
  }
  if (!isUnnamed(image, "name") && found.name !== wanted.name) {
    tell(
      "faces-names",
      "manifest",
      `its name is ${shown(found.name)}, not ${shown(wanted.name)}`,
    );
  }
}

/** Values by name, of appc's lists of pairs. */
function valuesOf(pairs: unknown): Map<string, string> {
  return new Map(
    ((pairs ?? []) as NameValue[]).map(({ name, value }) => [name, value]),
  );
}

/**
 * Compares annotations.
 *
 * @param areAll Whether no others are expected.
 */
function checkAnnotations(
  tell: TellFace,
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
  areAll: boolean,
): void {
  for (const [name, value] of expected) {
    if (found.get(name) === value) continue;
    tell(
      "faces-config",
      "manifest",
      `its annotation ${shown(name)} is ${
        shownJson(found.get(name))
      }, where the ` +
        `image asks for ${shownJson(value)}`,
    );
  }
  for (const name of areAll ? found.keys() : []) {
    if (expected.has(name) || name === "created") continue;
    tell(
      "faces-config",
      "manifest",
      `its annotation ${shown(name)} is in no other face`,
    );
  }
}

/** An appc app whose ports and mount points are in order, without names. */
function asSets(app: object): object {
  const { ports, mountPoints } = app as {
    ports?: { port: number; protocol: string }[];
    mountPoints?: { path: string }[];
  };
  return {
    ...app,
    ports: ports?.map(({ port, protocol }) => `${port}/${protocol}`).sort(),
    mountPoints: mountPoints?.map(({ path }) => path).sort(),
  };
}

/** Whether a path may be that of the command's first word in the rootfs. */
function isCommand(
  { entrypoint = [], command = [] }: Image,
  executable: string | undefined,
): boolean {
  const [word] = [...entrypoint, ...command];
  return word !== undefined && executable !== undefined &&
    executable.startsWith("/") && executable !== word &&
    executable.endsWith(`/${word.replace(/^(\.?\/)+/, "")}`);
}
