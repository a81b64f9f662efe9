import type { ByteShare } from "../inspect/byte_shares.ts";
import type { NodeType } from "../inspect/file_tree.ts";
import type {
  FileKind,
  InspectReport,
  LayerReport,
} from "../inspect/report.ts";
import { shown } from "../errors/shown.ts";
import { packageCounts } from "./list_packages.ts";
import { grouped, humanSize, type Paint, plain, table } from "./style.ts";

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

const TYPES: Record<NodeType, [one: string, many: string]> = {
  "file": ["file", "files"],
  "directory": ["directory", "directories"],
  "missing-directory": ["directory without entry", "directories without entry"],
  "symlink": ["symlink", "symlinks"],
  "hardlink": ["hard link", "hard links"],
  "character-device": ["character device", "character devices"],
  "block-device": ["block device", "block devices"],
  "fifo": ["FIFO", "FIFOs"],
  "whiteout": ["whiteout", "whiteouts"],
};

const SHARES: Record<ByteShare["kind"], string> = {
  documents: "documents",
  layers: "layers",
  view: "a tar of its own, with zstd",
  rootfs: "rootfs/",
  other: "other files",
  end: "end of the archive",
};

/** Characters of one word of a command at most. */
const LONGEST = 1000;
/** Characters of a command in a table at most. */
const LONG = 80;

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

type Pair = readonly [name: string, value: string | readonly string[]];

/** Names and values; a list has a line for each value. */
function pairs(all: readonly Pair[], paint: Paint): string[] {
  const rows = all.flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map((text, i) =>
      [i === 0 ? name : "", text] as const
    )
  ).filter(([, text]) => text !== "");
  const width = rows.reduce((most, [name]) => Math.max(most, name.length), 0);
  return rows.map(([name, text]) =>
    `  ${paint("dim", name.padEnd(width))}  ${text}`
  );
}

function section(title: string, lines: string[], paint: Paint): string {
  return lines.length === 0
    ? ""
    : `${paint("title", title)}\n${lines.join("\n")}\n`;
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
    plain(names.join(", "), LONG) || "-",
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

function platformText(platform: InspectReport["image"]["platform"]): string {
  const { os, architecture, variant } = platform;
  return plain([os, architecture, variant].filter(Boolean).join("/"));
}

function imagePairs({ image }: InspectReport): Pair[] {
  const words = (list: string[] = []) =>
    list.map((word) => shown(word, LONGEST)).join(" ");
  const each = (list: string[] = []) => list.map((text) => plain(text));
  const record = (values: Record<string, string> = {}) =>
    Object.entries(values).map(([key, value]) =>
      `${plain(key)}=${plain(value)}`
    );
  const check = image.healthcheck;
  return [
    ["names", each(image.names)],
    ["platform", platformText(image.platform)],
    ["created", plain(image.created ?? "")],
    ["author", plain(image.author ?? "")],
    ["digest", plain(image.digest ?? "")],
    ["image ID", plain(image.id ?? "")],
    ["entrypoint", words(image.entrypoint)],
    ["command", words(image.command)],
    ["environment", each(image.env)],
    ["directory", plain(image.workdir ?? "")],
    ["user", plain(image.user ?? "")],
    ["ports", each(image.exposedPorts)],
    ["volumes", each(image.volumes)],
    ["stop signal", plain(image.stopSignal ?? "")],
    ["health check", check ? healthText(check) : ""],
    ["shell", words(image.shell)],
    ["on build", each(image.onBuild)],
    ["labels", record(image.labels)],
    ["annotations", record(image.annotations)],
  ];
}

function healthText(
  { test, ...settings }: NonNullable<InspectReport["image"]["healthcheck"]>,
): string {
  return [
    ...test.map((word) => shown(word, LONGEST)),
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ].join(" ");
}

function historySection({ image }: InspectReport, paint: Paint): string {
  let layer = 0;
  const rows = (image.history ?? []).map((entry) => [
    entry.empty_layer ? "-" : String(++layer),
    plain(String(entry.created ?? "-").slice(0, 19)),
    oneLine(String(entry.created_by ?? entry.comment ?? "")),
  ]);
  const columns = [
    { title: "LAYER", right: true },
    { title: "CREATED" },
    { title: "BY" },
  ];
  return rows.length === 0
    ? ""
    : section("History", table(columns, rows, paint), paint);
}

/** A command on one line, cut where it is long. */
function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  const cut = [...line].length > LONG
    ? `${[...line].slice(0, LONG).join("")}…`
    : line;
  return plain(cut);
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

function treeSections(tree: InspectReport["tree"], paint: Paint): string[] {
  const counts = (Object.keys(TYPES) as NodeType[]).flatMap((type) => {
    const count = tree.types[type];
    return count
      ? [`${grouped(count)} ${TYPES[type][count === 1 ? 0 : 1]}`]
      : [];
  });
  const right = (title: string) => ({ title, right: true });
  return [
    section("Files", [
      `  ${counts.join(", ") || "none"}; ${humanSize(tree.bytes)} in all`,
    ], paint),
    section(
      "Largest files",
      table(
        [right("SIZE"), right("LAYER"), { title: "PATH" }],
        tree.largestFiles.map(({ path, bytes, layer }) => [
          humanSize(bytes),
          String(layer),
          plain(path),
        ]),
        paint,
      ),
      paint,
    ),
    section(
      "Largest directories",
      table(
        [right("SIZE"), right("FILES"), { title: "PATH" }],
        tree.largestDirectories.map(({ path, bytes, files }) => [
          humanSize(bytes),
          grouped(files),
          `${plain(path)}/`,
        ]),
        paint,
      ),
      paint,
    ),
  ];
}
