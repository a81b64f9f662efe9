import { counted } from "../errors/counted.ts";
import { unsupported } from "../formats/unsupported.ts";
import type { Face } from "../image/face.ts";
import type { BuiltLayer, Isoc } from "../build/isoc.ts";
import { shown } from "../errors/shown.ts";
import { DIRECTORY_LOSSES } from "../directory/open_directory.ts";
import { parseNames } from "../image/name.ts";
import { platformText } from "../read/choose_image.ts";
import type { LayerChange } from "../rootfs/layer_change.ts";
import type { Tally } from "../edit/edits.ts";
import { formatBytes } from "./progress.ts";
import type { Versioned } from "./say.ts";

/** What was changed in a layer, as `-v` says it. */
const CHANGES: Record<LayerChange, string> = {
  "aci": "it is what the archive has below rootfs/ or the like",
  "aufs-leftovers": "what aufs left there was left out",
  "closing-blocks": "the end got its two blocks of zeros",
  "duplicates": "files that lower layers have already were left out",
  "entry-types": "entry types that some engines refuse became plain ones",
  "global-headers": "PAX global headers went into the entries' own",
  "hard-links": "hard links got the metadata of the files they lead to",
  "hidden-files": "files that the ACI's pathWhitelist hides were left out",
  "missing-directories": "directories without an entry got one",
  "moved-entries": "entries below a symlink went to where it leads",
  "odd-headers": "headers that readers take differently were written anew",
  "overlay-attributes": "attributes of overlayfs were left out",
  "overlay-whiteouts": "deletions of overlayfs, devices 0:0, were settled",
  "repeated-paths": "paths that came again lost their earlier entries",
  "several-archives": "several archives, one after another, became one",
  "sparse-files": "sparse files were filled with their zeros",
  "volume-label": "the volume label was left out",
  "whiteouts": "whiteouts that engines take differently were settled",
};

/** What happened to each layer's input before it was read, lowest layer first. */
export type Origins = {
  name: string;
  compression?: string | undefined;
  directory?: boolean;
  /** Whether its entries were edited on the way. */
  edited?: boolean;
  /** SHA-256 that it had before that, in hex, where it is known. */
  digest?: string | undefined;
  /** Whether it is no input, but made for edits. */
  made?: boolean;
  /** How many layers it was made of. */
  squashed?: number;
  /** How many layers were made of it. */
  split?: number;
}[];

/** What was made; docs/json.md describes its members. */
type Summary = Versioned & Record<string, unknown>;

/** What was made, for `--json`. */
export function summary(
  isoc: Isoc,
  origins: Origins,
  edits: readonly Tally[],
): Summary {
  return {
    version: 1,
    names: parseNames(isoc.image.names).map(({ qualified }) => qualified),
    size: isoc.size,
    entries: isoc.entries,
    imageId: `sha256:${isoc.imageId}`,
    manifestDigest: `sha256:${isoc.manifestDigest}`,
    layers: isoc.layers.map(({ digest, size, blob, changes }, i) => ({
      digest: `sha256:${digest}`,
      size,
      ...(blob && {
        compressed: {
          method: blob.compression,
          digest: `sha256:${blob.digest}`,
          size: blob.size,
        },
      }),
      changes: [
        ...(origins[i]?.compression ? ["decompressed"] : []),
        ...(origins[i]?.squashed ? ["squashed"] : []),
        ...(origins[i]?.split ? ["split"] : []),
        ...(isEdited(origins[i], digest) ? ["edited"] : []),
        ...changes.keys(),
      ],
    })),
    ...platformSummary(isoc),
    notExpressed: Object.fromEntries(missing(isoc)),
    ...(edits.length > 0 && {
      edits: edits.map(({ edit, value, entries }) => ({
        edit,
        ...(value !== undefined && { value }),
        entries,
      })),
    }),
    notes: isoc.notes,
  };
}

/** The images of several platforms, for `--json`. */
function platformSummary(
  { platforms, indexDigest }: Isoc,
): { indexDigest?: string; platforms?: object[] } {
  if (!platforms) return {};
  return {
    indexDigest: `sha256:${indexDigest}`,
    platforms: platforms.map((one) => ({
      platform: platformText(one),
      primary: one.isPrimary,
      imageId: `sha256:${one.imageId}`,
      manifestDigest: `sha256:${one.manifestDigest}`,
      layers: one.layers.map(({ digest, size }) => ({
        digest: `sha256:${digest}`,
        size,
      })),
    })),
  };
}

/** What was made, for `-v`: one sentence a line. */
export function* report(
  isoc: Isoc,
  origins: Origins,
  path: string | undefined,
): Generator<string> {
  const names = parseNames(isoc.image.names).map(({ familiar }) => familiar);
  yield `${path ?? "standard output"}: ${names.join(", ")}, ${
    formatBytes(isoc.size)
  }, ${counted(isoc.entries, "entry", "entries")}`;
  yield `image ID sha256:${isoc.imageId}`;
  for (const [i, layer] of isoc.layers.entries()) {
    yield `layer sha256:${layer.digest}`;
    yield* layerReport(layer, origins[i]);
  }
  for (const one of isoc.platforms ?? []) {
    const text = platformText(one);
    yield one.isPrimary
      ? `${text} is the primary platform, which every face has`
      : `${text} is in the oci face alone: image ID sha256:${one.imageId}`;
  }
  for (const [face, fields] of missing(isoc)) {
    yield `${face} cannot express: ${fields.join(", ")}`;
  }
}

function* layerReport(
  { changes, digest }: BuiltLayer,
  origin: Origins[number] | undefined,
): Generator<string> {
  if (origin?.made) yield `it is ${origin.name}`;
  else if (origin?.split) {
    yield `it is one of the ${origin.split} that ${origin.name} was split into`;
    if (origin.directory) yield DIRECTORY_LOSSES;
  } else if (origin?.compression) {
    yield `the layer is the input, decompressed (${origin.compression})`;
  } else if (origin?.directory) {
    yield `the layer is made of ${origin.name}`;
    yield DIRECTORY_LOSSES;
  } else if (origin?.squashed) {
    yield `the layer is made of ${origin.squashed} layers`;
  } else if (changes.size === 0 && !isEdited(origin, digest)) {
    yield "the layer is the input, byte for byte";
  }
  if (!origin?.made && !origin?.split && isEdited(origin, digest)) {
    yield "the layer is the input, edited";
  }
  for (const [reason, path] of changes) {
    // Some reasons are the whole archive's and have no path.
    const first = path.length === 0 ? "" : `, first ${shown(path)}`;
    yield `the layer is not the input: ${CHANGES[reason]}${first}`;
  }
}

/** Whether edits have made another layer of an input, or made it. */
function isEdited(origin: Origins[number] | undefined, digest: string) {
  if (origin?.made) return true;
  return origin?.edited === true && origin.digest !== digest;
}

/** What each of the archive's faces cannot say of the image; none for most. */
function missing({ image, faces }: Isoc): [Face, string[]][] {
  return faces.map((face): [Face, string[]] => [
    face,
    unsupported(image, face),
  ]).filter(([, fields]) => fields.length > 0);
}
