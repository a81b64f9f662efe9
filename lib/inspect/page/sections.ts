/// <reference lib="dom" />
import type { InspectReport, LayerReport } from "../report.ts";
import { byId, counted, element, grouped } from "./dom.ts";
import { humanSize } from "../human_size.ts";
import type { PageData } from "./page_data.ts";

const SHARES: Record<string, string> = {
  documents: "documents",
  layers: "layers",
  rootfs: "rootfs/",
  other: "other files",
  end: "end of the archive",
};

/** Fills all of the page but treemap and search. */
export function fillSections({ report, documents }: PageData): void {
  fillHead(report);
  fillBytes(report);
  fillLayers(report.image.layers);
  fillConfiguration(report);
  fillDocuments(documents);
}

function fillHead({ file, image, tree, bytes, notes }: InspectReport): void {
  const title = image.names[0] ?? file.name;
  document.title = `${title} – ciso inspect`;
  byId("title").textContent = title;
  byId("subtitle").textContent = [
    file.name,
    file.kind.replaceAll("-", " "),
    Object.values(image.platform).join("/"),
    image.created?.slice(0, 10),
  ].filter(Boolean).join(" · ");
  const files = Object.entries(tree.types).reduce(
    (sum, [type, count]) =>
      type.endsWith("directory") || type === "whiteout" ? sum : sum + count,
    0,
  );
  const facts: [string, string][] = [
    ["archive", humanSize(file.size)],
    ["files", grouped(files)],
    ["in them", humanSize(tree.bytes)],
    ["layers", grouped(image.layers.length)],
    ["wasted", humanSize(bytes.wasted)],
    ["there twice", humanSize(bytes.twice)],
  ];
  byId("facts").append(...facts.map(([name, value]) =>
    element(
      "div",
      {},
      element("dd", { text: value }),
      element("dt", { text: name }),
    )
  ));
  byId("notes").hidden = notes.length === 0;
  byId("notes-list").append(
    ...notes.map((text) => element("li", { text })),
  );
}

function fillBytes(report: InspectReport): void {
  const { file: { size } } = report;
  const bar = byId("share-bar");
  const rows = byId("share-rows");
  for (const [i, share] of groupedShares(report).entries()) {
    const percent = 100 * share.bytes / Math.max(size, 1);
    const what = SHARES[share.kind]!;
    const faces = share.faces.join(", ") || "no face";
    const piece = element("span", {
      class: `piece hue${i % 8}`,
      title: `${what} (${faces}): ${humanSize(share.bytes)}`,
    });
    piece.style.width = `${percent}%`;
    bar.append(piece);
    const cell = (text: string) => element("td", { class: "number", text });
    rows.append(element(
      "tr",
      {},
      element(
        "th",
        { scope: "row" },
        element("span", { class: `key hue${i % 8}`, "aria-hidden": "true" }),
        what,
      ),
      element("td", { text: faces }),
      cell(humanSize(share.bytes)),
      cell(`${percent.toFixed(1)} %`),
      cell(grouped(share.entries)),
    ));
  }
  bar.setAttribute(
    "aria-label",
    "Bytes of the archive by what they are for, as the table below has them",
  );
  byId("face-rows").append(...report.faces.map((face) => {
    const part = element("span", { class: "bar", "aria-hidden": "true" });
    part.style.width = `${100 * face.bytes / Math.max(size, 1)}%`;
    return element(
      "tr",
      {},
      element("th", { scope: "row", text: face.name }),
      element("td", { class: "number", text: humanSize(face.bytes) }),
      element("td", { class: "share" }, part),
      element("td", {
        text: counted(face.documents.length, "document", "documents"),
      }),
    );
  }));
}

type Share = InspectReport["bytes"]["shares"][number];

/** The shares, the small ones of documents as one. */
function groupedShares({ bytes: { shares } }: InspectReport): Share[] {
  const documents = shares.filter(({ kind }) => kind === "documents");
  const others = shares.filter(({ kind }) => kind !== "documents");
  if (documents.length === 0) return others;
  const sum = (key: "bytes" | "entries") =>
    documents.reduce((total, share) => total + share[key], 0);
  return [{
    kind: "documents",
    faces: [...new Set(documents.flatMap(({ faces }) => faces))],
    bytes: sum("bytes"),
    entries: sum("entries"),
  }, ...others];
}

function fillLayers(layers: LayerReport[]): void {
  const most = Math.max(1, ...layers.map(({ tarSize = 0 }) => tarSize));
  byId("layer-rows").append(...layers.map((layer) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${100 * (layer.tarSize ?? 0) / most}%`;
    const tally = ({ files, bytes }: LayerReport["added"]) =>
      files === 0 ? "–" : `${grouped(files)} (${humanSize(bytes)})`;
    const stored = layer.missing
      ? "missing"
      : humanSize(layer.storedSize ?? 0) +
        (layer.compression ? ` ${layer.compression}` : "");
    const cell = (text: string) => element("td", { class: "number", text });
    return element(
      "tr",
      {},
      element("th", { scope: "row", text: layer.number }),
      cell(stored),
      element("td", { class: "share" }, bar),
      cell(tally(layer.added)),
      cell(tally(layer.changed)),
      cell(tally(layer.deleted)),
      cell(tally(layer.wastes)),
      element(
        "td",
        { class: "by" },
        element("code", { text: layer.createdBy ?? layer.path }),
        element("code", {
          class: "digest",
          text: layer.diffId ?? layer.digest ?? "",
        }),
      ),
    );
  }));
}

function fillConfiguration({ image }: InspectReport): void {
  const list = byId("configuration-list");
  const words = (list?: string[]) => list && [JSON.stringify(list)];
  const record = (values: Record<string, string> = {}) =>
    Object.entries(values).map(([key, value]) => `${key}=${value}`);
  const all: [string, (string | undefined)[] | undefined][] = [
    ["Names", image.names],
    ["Created", [image.created]],
    ["Author", [image.author]],
    ["Digest", [image.digest]],
    ["Image ID", [image.id]],
    ["Entrypoint", words(image.entrypoint)],
    ["Command", words(image.command)],
    ["Environment", image.env],
    ["Directory", [image.workdir]],
    ["User", [image.user]],
    ["Ports", image.exposedPorts],
    ["Volumes", image.volumes],
    ["Stop signal", [image.stopSignal]],
    ["Health check", image.healthcheck && [JSON.stringify(image.healthcheck)]],
    ["Shell", words(image.shell)],
    ["On build", image.onBuild],
    ["Labels", record(image.labels)],
    ["Annotations", record(image.annotations)],
  ];
  for (const [name, values = []] of all) {
    const given = values.filter((text) => text !== undefined && text !== "");
    if (given.length === 0) continue;
    list.append(
      element("dt", { text: name }),
      ...given.map((text) => element("dd", {}, element("code", { text }))),
    );
  }
}

function fillDocuments(documents: PageData["documents"]): void {
  byId("documents-list").append(...documents.map(({ path, faces, text }) => {
    const body = element("pre", { tabindex: "0", "aria-label": path });
    const details = element(
      "details",
      {
        // The browser lays long ones out only when somebody looks at them.
        toggle: () => {
          if (body.textContent === "") body.textContent = pretty(text);
        },
      },
      element(
        "summary",
        {},
        element("code", { text: path }),
        ` ${faces.join(", ")} · ${
          counted(text.length, "character", "characters")
        }`,
      ),
      body,
    );
    return details;
  }));
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
