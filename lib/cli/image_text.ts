import { shown } from "../errors/shown.ts";
import type { InspectReport } from "../inspect/report.ts";
import { type Paint, plain, table } from "./style.ts";
import { type Pair, section } from "./text_sections.ts";

/** Characters of one word of a command at most. */
const LONGEST_WORD = 1000;
/** Characters of a command or of names in a table at most. */
export const LONGEST_CELL = 80;

/** A platform, cut like all foreign text; empty if nothing is known of it. */
export function platformText(
  platform: InspectReport["image"]["platform"],
): string {
  const { os, architecture, variant } = platform;
  return plain([os, architecture, variant].filter(Boolean).join("/"));
}

/** What the image says of itself. */
export function imagePairs({ image }: InspectReport): Pair[] {
  const words = (list: string[] = []) =>
    list.map((word) => shown(word, LONGEST_WORD)).join(" ");
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
    ...test.map((word) => shown(word, LONGEST_WORD)),
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ].join(" ");
}

/** How each layer was made. */
export function historySection({ image }: InspectReport, paint: Paint): string {
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
  const cut = [...line].length > LONGEST_CELL
    ? `${[...line].slice(0, LONGEST_CELL).join("")}…`
    : line;
  return plain(cut);
}
