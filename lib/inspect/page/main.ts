/// <reference lib="dom" />
import { byId } from "./dom.ts";
import { fillPackages } from "./packages.ts";
import type { PageData } from "./page_data.ts";
import { Search } from "./search.ts";
import { fillSections } from "./sections.ts";
import { TreeModel } from "./tree_model.ts";
import { TreemapView } from "./treemap.ts";

const data: PageData = JSON.parse(byId("data").textContent!);
// Its text is several megabytes for a large image.
byId("data").remove();
fillSections(data);
fillPackages(data.report);
const model = new TreeModel(data.tree);
const view = new TreemapView(model);
view.show(0);
new Search(model, (node) => {
  view.reveal(node);
  byId("files").scrollIntoView();
}).start();
document.documentElement.dataset.ready = "true";
// The first keystroke need not wait for this.
setTimeout(() => model.prepareSearch(), 0);
