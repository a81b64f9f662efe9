/// <reference lib="dom" />

/** An element's attributes, listeners, and `text` for its text. */
export type Properties = Record<
  string,
  string | number | boolean | ((event: Event) => void) | undefined
>;

/**
 * Makes an element. Text only ever becomes text nodes and attribute values, so
 * that no name of a file is ever read as markup.
 */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key, value);
    else if (key === "text") made.textContent = String(value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** The element of the page with an ID. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

/** A count with a comma between groups of three digits. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** A count with its noun. */
export function counted(count: number, one: string, many: string): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}
