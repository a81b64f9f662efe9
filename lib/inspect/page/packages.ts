/// <reference lib="dom" />
import type { InspectReport } from "../report.ts";
import { byId, counted, element } from "./dom.ts";

/** Rows that the table has at most. */
const MOST = 5000;

/** Shows the packages: a table for each type, closed at first. */
export function fillPackages({ packages = [] }: InspectReport): void {
  byId("packages").hidden = packages.length === 0;
  const types = [...new Set(packages.map(({ type }) => type))];
  byId("packages-list").append(...types.map((type) => {
    const all = packages.filter((one) => one.type === type);
    const details = element(
      "details",
      {},
      element("summary", {
        text: `${type}: ${counted(all.length, "package", "packages")}`,
      }),
    );
    // Thousands of rows take a moment.
    details.addEventListener("toggle", () => details.append(table(all)), {
      once: true,
    });
    return details;
  }));
}

type Packages = NonNullable<InspectReport["packages"]>;

function table(packages: Packages): HTMLElement {
  const titles = ["Name", "Version", "Architecture", "Layer", "Licence"];
  const rows = packages.slice(0, MOST).map((one) => {
    const { namespace, name, version, architecture, layer, licence } = one;
    return element(
      "tr",
      {},
      element("th", {
        scope: "row",
        text: namespace === undefined ? name : `${namespace}/${name}`,
      }),
      ...[version, architecture ?? "–", String(layer), licence ?? "–"].map(
        (text) => element("td", { text }),
      ),
    );
  });
  const more = packages.length - rows.length;
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...titles.map((text) => element("th", { scope: "col", text })),
        ),
      ),
      element("tbody", {}, ...rows),
    ),
    ...more > 0
      ? [element("p", { text: `and ${counted(more, "other", "others")}` })]
      : [],
  );
}
