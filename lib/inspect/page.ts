import { utf8 } from "../streams/bytes.ts";
import type { FileTree, NodeType } from "./file_tree.ts";
import type { InspectReport } from "./report.ts";
import type { OpenedImage } from "./open_image_file.ts";
import type { PageData, PageTree } from "./page/page_data.ts";
import { PAGE_BODY, PAGE_SCRIPT, PAGE_STYLE } from "./page_text.ts";
import { sortedNodes } from "./tree_facts.ts";

/** The letters for types that the page knows. */
const LETTERS: Record<NodeType, string> = {
  "file": "-",
  "directory": "d",
  "missing-directory": "d",
  "symlink": "l",
  "hardlink": "h",
  "character-device": "c",
  "block-device": "b",
  "fifo": "p",
  "whiteout": "-",
};

/**
 * Writes a page for a browser that shows all of a report. It is one file:
 * style, script and data are in it, and its policy forbids everything else, so
 * it asks nothing of any server, whatever the image holds.
 */
export async function* inspectPage(
  report: InspectReport,
  { documents }: OpenedImage,
  tree: FileTree,
): AsyncGenerator<Uint8Array> {
  const data: PageData = {
    report,
    documents: [...documents.values()],
    tree: pageTree(tree),
  };
  const policy = [
    "default-src 'none'",
    `script-src '${await hashOf(PAGE_SCRIPT)}'`,
    `style-src '${await hashOf(PAGE_STYLE)}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  yield utf8(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>ciso inspect</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
${PAGE_BODY}
<script type="application/json" id="data">`);
  yield utf8(scriptJson(data));
  yield utf8(`</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`);
}

/**
 * JSON that can be inside of a script element: it has no `<`, so no closing tag
 * and no comment starts in it.
 */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

/** The source expression for an inline text (Content Security Policy Level 3). */
async function hashOf(text: string): Promise<string> {
  const bytes = utf8(text) as Uint8Array<ArrayBuffer>;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

function pageTree(tree: FileTree): PageTree {
  const page: PageTree = {
    names: [""],
    parents: [0],
    sizes: [0],
    types: "",
    layers: [1],
  };
  const text = new TextDecoder("utf-8", { ignoreBOM: true });
  const types = ["d"];
  /** Numbers on the page by node. */
  const numbers = new Uint32Array(tree.length);
  for (const node of sortedNodes(tree, 0)) {
    const type = tree.type(node)!;
    numbers[node] = page.names.length;
    page.names.push(text.decode(tree.name(node)));
    page.parents.push(numbers[tree.parent(node)]!);
    page.sizes.push(type === "file" ? tree.size(node) : 0);
    page.layers.push(tree.origin(node).layer + 1);
    types.push(LETTERS[type]);
  }
  page.types = types.join("");
  return page;
}
