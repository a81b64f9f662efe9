/// <reference lib="dom" />
import { counted, element } from "./dom.ts";
import { humanSize } from "../human_size.ts";
import type { TreeModel } from "./tree_model.ts";

/** Rows of the table at most. */
const MAX_ROWS = 200;

/**
 * The rows of the table of what is in a directory.
 *
 * @param options The node to point out, and what happens when somebody clicks
 * a name.
 */
export function contentsRows(
  model: TreeModel,
  directory: number,
  { chosen, open }: {
    chosen: number | undefined;
    open: (node: number) => void;
  },
): HTMLElement[] {
  const all = model.children(directory);
  const total = Math.max(model.bytes[directory]!, 1);
  const rows = all.slice(0, MAX_ROWS).map((node) => {
    const isDirectory = model.isDirectory(node);
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${100 * model.bytes[node]! / total}%`;
    const name = model.name(node) + (isDirectory ? "/" : "");
    return element(
      "tr",
      { class: node === chosen ? "chosen" : undefined },
      element(
        "th",
        { scope: "row" },
        element("button", {
          type: "button",
          text: name,
          click: () => open(node),
        }),
      ),
      element("td", { text: humanSize(model.bytes[node]!) }),
      element("td", { class: "share" }, bar),
      element("td", {
        text: isDirectory
          ? counted(model.files[node]!, "file", "files")
          : `layer ${model.layer(node)}`,
      }),
    );
  });
  if (all.length > MAX_ROWS) {
    const text = `${
      counted(all.length - MAX_ROWS, "more", "more")
    }; search finds them`;
    rows.push(element("tr", {}, element("td", { colspan: 4, text })));
  }
  return rows;
}
