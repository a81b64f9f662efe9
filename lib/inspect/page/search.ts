/// <reference lib="dom" />
import { byId, counted, element } from "./dom.ts";
import { humanSize } from "../human_size.ts";
import type { TreeModel } from "./tree_model.ts";

/** Results that are shown at most. */
const MAX_RESULTS = 50;

/** The search field, and the paths of the tree that it finds. */
export class Search {
  readonly #model: TreeModel;
  readonly #reveal: (node: number) => void;
  readonly #field = byId("search") as HTMLInputElement;
  readonly #results = byId("results");
  readonly #status = byId("search-status");

  /** @param reveal Shows a node that was found. */
  constructor(model: TreeModel, reveal: (node: number) => void) {
    this.#model = model;
    this.#reveal = reveal;
  }

  /** Listens to the keyboard from now on. */
  start(): void {
    this.#field.addEventListener("input", () => this.#find());
    this.#field.addEventListener("keydown", (event) => this.#fieldKey(event));
    this.#results.addEventListener("keydown", (event) => this.#move(event));
    document.addEventListener("keydown", (event) => {
      const { tagName } = event.target as HTMLElement;
      if (event.key !== "/" || tagName === "INPUT") return;
      event.preventDefault();
      this.#field.focus();
    });
  }

  #find(): void {
    const query = this.#field.value.trim();
    this.#results.hidden = query === "";
    if (query === "") {
      this.#status.textContent = "";
      this.#results.replaceChildren();
      return;
    }
    const found = this.#model.search(query);
    const shown = found.slice(0, MAX_RESULTS);
    this.#status.textContent = counted(found.length, "path", "paths") +
      (found.length > shown.length ? `, the first ${shown.length} shown` : "");
    this.#results.replaceChildren(...shown.map((node) => this.#result(node)));
  }

  #result(node: number): HTMLElement {
    const model = this.#model;
    const path = model.path(node) + (model.isDirectory(node) ? "/" : "");
    const size = humanSize(model.bytes[node]!);
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", click: () => this.#reveal(node) },
        element("span", { class: "path", text: path }),
        element("span", { class: "size", text: size }),
      ),
    );
  }

  #fieldKey(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      this.#field.value = "";
      this.#find();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      this.#results.querySelector("button")?.focus();
    }
  }

  /** Moves among the results, and back to the field. */
  #move(event: KeyboardEvent): void {
    const field = this.#field;
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
  }
}
