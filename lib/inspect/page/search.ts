/// <reference lib="dom" />
import { byId, counted, element, humanSize } from "./dom.ts";
import type { TreeModel } from "./tree_model.ts";

/** Results that are shown at most. */
const MAX_RESULTS = 50;

/** Makes the search field find paths of the tree. */
export function startSearch(
  model: TreeModel,
  reveal: (node: number) => void,
): void {
  const field = byId("search") as HTMLInputElement;
  const results = byId("results");
  const status = byId("search-status");

  const find = () => {
    const query = field.value.trim();
    results.hidden = query === "";
    if (query === "") {
      status.textContent = "";
      results.replaceChildren();
      return;
    }
    const found = model.search(query);
    const shown = found.slice(0, MAX_RESULTS);
    status.textContent = counted(found.length, "path", "paths") +
      (found.length > shown.length ? `, the first ${shown.length} shown` : "");
    results.replaceChildren(...shown.map((node) =>
      element(
        "li",
        {},
        element(
          "button",
          { type: "button", click: () => reveal(node) },
          element("span", {
            class: "path",
            text: model.path(node) + (model.isDirectory(node) ? "/" : ""),
          }),
          element("span", {
            class: "size",
            text: humanSize(model.bytes[node]!),
          }),
        ),
      )
    ));
  };

  field.addEventListener("input", find);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      field.value = "";
      find();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      results.querySelector("button")?.focus();
    }
  });
  results.addEventListener("keydown", (event) => {
    const item = (event.target as HTMLElement).closest("li");
    const next = event.key === "ArrowDown"
      ? item?.nextElementSibling
      : event.key === "ArrowUp"
      ? item?.previousElementSibling ?? field
      : event.key === "Escape"
      ? field
      : undefined;
    if (!next) return;
    event.preventDefault();
    (next.querySelector("button") ?? next as HTMLElement).focus();
  });
  document.addEventListener("keydown", (event) => {
    const { tagName } = event.target as HTMLElement;
    if (event.key !== "/" || tagName === "INPUT") return;
    event.preventDefault();
    field.focus();
  });
}
