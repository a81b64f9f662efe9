import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import type { BaseImage, ImageFields } from "../image/image.ts";
import { type ImageFiles, readDocument } from "./image_files.ts";
import { readAppcManifest } from "./read_appc.ts";
import { readConfig } from "./read_config.ts";
import { readRepositories } from "./read_docker.ts";
import { treeLayer } from "./read_tree.ts";
import type { StoredImage } from "./stored_image.ts";

/** appc spec 0.8.11, or the archive that the script of 2015 wrote. */
export async function readAci(
  files: ImageFiles,
  manifest: string,
): Promise<StoredImage> {
  const image = readAppcManifest(manifest);
  const repositories = await readDocument(files, "repositories");
  const layer = await files.open("rootfs/layer.tar");
  if (layer && repositories !== undefined) {
    const { os, architecture, variant } = image.base.fields;
    const v1 = await readDocument(files, "rootfs/json");
    return {
      layers: [{ source: layer }],
      // Docker's document has command and entrypoint apart.
      base: v1 === undefined ? { fields: image.base.fields } : {
        fields: {
          ...platform({ os, architecture, variant }),
          ...readConfig(v1, "rootfs/json").fields,
        },
      },
      names: readRepositories(repositories).map(({ name }) => name),
      notes: [],
    };
  }
  const tree = await treeLayer(files, "rootfs");
  if (!tree) throw new InputError("Its directory rootfs is missing");
  const { visible, base, annotations, name } = image;
  return {
    layers: [{ ...tree.layer, ...(visible && { visible }) }],
    base,
    ...(annotations && { annotations }),
    names: [name],
    notes: [...tree.notes, ...appcNotes(base)],
  };
}

/** Says what of an ACI no other face has. */
function appcNotes({ appc }: BaseImage): string[] {
  const { app = {}, mountPoints = [], supplementaryGIDs } = appc ?? {};
  const words = [
    ...Object.keys(app).map(shownWord),
    ...(supplementaryGIDs ? ["supplementaryGIDs"] : []),
    ...(mountPoints.some(({ readOnly }) => readOnly) ? ["readOnly"] : []),
  ];
  return words.length === 0
    ? []
    : [`Only rkt's face keeps what the ACI says of ${words.join(", ")}`];
}

/** The fields of a platform that are set. */
function platform(fields: ImageFields): ImageFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
}
