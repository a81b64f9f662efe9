import type { ByteShare } from "../inspect/byte_shares.ts";
import type {
  FileKind,
  InspectReport,
  LayerReport,
} from "../inspect/report.ts";
import {
  historySection,
  imagePairs,
  LONGEST_CELL,
  platformText,
} from "./image_text.ts";
import { packageCounts } from "./list_packages.ts";
import { grouped, type Paint, plain, table } from "./style.ts";
import { humanSize } from "../inspect/human_size.ts";
import { type Pair, pairs, section } from "./text_sections.ts";
import { treeSections } from "./tree_text.ts";

const KINDS: Record<FileKind, string> = {
  "isoc": "isoc",
  "docker-archive": "Docker archive",
  "docker-v1-archive": "Docker archive of 1.9 or older",
  "oci-layout": "OCI image layout",
  "skopeo-dir": "dir: layout of skopeo",
  "aci": "ACI (appc)",
  "lxd": "LXD image",
  "bundle": "OCI runtime bundle",
  "several-faces": "root file system with several faces",
};

const SHARES: Record<ByteShare["kind"], string> = {
  documents: "documents",
  layers: "layers",
  view: "a tar of its own, with zstd",
  rootfs: "rootfs/",
  other: "other files",
  end: "end of the archive",
};

/** A report as text for people. */
export function reportText(report: InspectReport, paint: Paint): string {
  const sections = [
    fileSection(report, paint),
    imagesSection(report, paint),
    section("Image", pairs(imagePairs(report), paint), paint),
    historySection(report, paint),
    layersSection(report.image.layers, paint),
    bytesSection(report, paint),
    ...treeSections(report.tree, paint),
    section(
      "Packages",
      packageCounts(report.packages ?? [], report.distribution),
      paint,
    ),
    section("Notes", report.notes.map((note) => `  ${plain(note)}`), paint),
  ];
  return sections.filter((text) => text !== "").join("\n");
}

/** What there is to say about one layer, as text for people. */
export function layerText(
  layer: LayerReport,
  tree: InspectReport["tree"],
  paint: Paint,
): string {
  return [
    section(`Layer ${layer.number}`, pairs(layerPairs(layer), paint), paint),
    ...treeSections(tree, paint),
  ].filter((text) => text !== "").join("\n");
}

function fileSection({ file, faces }: InspectReport, paint: Paint): string {
  return section(
    plain(file.name),
    pairs([
      ["kind", KINDS[file.kind]],
      [
        "faces",
        faces.map(({ name, bytes }) => `${name} (${humanSize(bytes)})`)
          .join(", "),
      ],
      [
        "size",
        `${humanSize(file.size)} (${grouped(file.size)} ${
          file.size === 1 ? "byte" : "bytes"
        })`,
      ],
      ["compression", file.compression ?? ""],
    ], paint),
    paint,
  );
}

function imagesSection({ images }: InspectReport, paint: Paint): string {
  if (images.length < 2) return "";
  const rows = images.map(({ names, platform, layers, digest, chosen }) => [
    chosen ? "*" : "",
    platformText(platform) || "-",
    String(layers),
    digest?.slice(0, 19) ?? "-",
    plain(names.join(", "), LONGEST_CELL) || "-",
  ]);
  const columns = [
    { title: "" },
    { title: "PLATFORM" },
    { title: "LAYERS", right: true },
    { title: "DIGEST" },
    { title: "NAMES" },
  ];
  const lines = table(columns, rows, paint);
  lines.push("  What follows is about *; --platform or --name choose another.");
  return section(`${images.length} images`, lines, paint);
}

function layersSection(layers: LayerReport[], paint: Paint): string {
  const right = (title: string) => ({ title, right: true });
  const columns = [
    right("#"),
    right("STORED"),
    { title: "COMPRESSION" },
    right("TAR"),
    right("ENTRIES"),
    right("ADDS"),
    right("CHANGES"),
    right("DELETES"),
    right("WASTES"),
    { title: "DIFF ID" },
  ];
  const rows = layers.map((layer) => [
    String(layer.number),
    layer.missing ? "missing" : humanSize(layer.storedSize ?? 0),
    layer.compression ?? "none",
    layer.tarSize === undefined ? "-" : humanSize(layer.tarSize),
    grouped(layer.entries),
    grouped(layer.added.files),
    grouped(layer.changed.files),
    grouped(layer.deleted.files),
    humanSize(layer.wastes.bytes),
    plain((layer.diffId ?? layer.path).slice(0, 19)),
  ]);
  return section("Layers", table(columns, rows, paint), paint);
}

function layerPairs(layer: LayerReport): Pair[] {
  const tally = ({ files, bytes }: LayerReport["added"]) =>
    `${grouped(files)} (${humanSize(bytes)})`;
  return [
    ["path", plain(layer.path)],
    ["digest", plain(layer.digest ?? "")],
    ["diff ID", plain(layer.diffId ?? "")],
    ["media type", plain(layer.mediaType ?? "")],
    ["stored", layer.missing ? "missing" : humanSize(layer.storedSize ?? 0)],
    ["compression", layer.compression ?? "none"],
    ["tar", layer.tarSize === undefined ? "" : humanSize(layer.tarSize)],
    ["created", plain(layer.created ?? "")],
    ["created by", plain(layer.createdBy ?? "")],
    ["entries", grouped(layer.entries)],
    ["files", tally(layer.added)],
  ];
}

function bytesSection({ bytes, file }: InspectReport, paint: Paint): string {
  const columns = [
    { title: "BYTES", right: true },
    { title: "SHARE", right: true },
    { title: "ENTRIES", right: true },
    { title: "WHAT" },
    { title: "READ BY" },
  ];
  const rows = bytes.shares.map((share) => [
    humanSize(share.bytes),
    `${(100 * share.bytes / file.size).toFixed(1)} %`,
    grouped(share.entries),
    SHARES[share.kind],
    share.faces.join(", ") || "-",
  ]);
  return section("Bytes", [
    ...table(columns, rows, paint),
    `  there twice: ${humanSize(bytes.twice)}; wasted: ${
      humanSize(bytes.wasted)
    }`,
  ], paint);
}
