/// <reference lib="dom" />
// The page that makes isocs: docs/index.html has its markup.
import { build } from "../build/build.ts";
import type { Isoc } from "../build/isoc.ts";
import { DescriptionError } from "../errors/description_error.ts";
import { InputError } from "../errors/input_error.ts";
import { shownWord } from "../errors/shown.ts";
import { FACES } from "../image/face.ts";
import { parseName } from "../image/name.ts";
import { byId, counted, element, grouped } from "../inspect/page/dom.ts";
import { humanSize } from "../inspect/human_size.ts";
import { NoRoomError } from "./blob_of.ts";
import { archiveOptionsOf, descriptionOf, FieldError } from "./form.ts";
import { openTar } from "./open_tar.ts";
import { Progress, Stopped } from "./progress.ts";
import { save } from "./save.ts";

const form = byId("form") as HTMLFormElement;
const chooser = byId("file") as HTMLInputElement;
const field = (name: string) =>
  form.elements.namedItem(name) as HTMLInputElement | HTMLTextAreaElement;
const progress = new Progress();
let chosen: File | undefined;
let made: Isoc | undefined;
let busy = false;

for (const face of FACES) {
  const name = `face-${face}`;
  byId("faces").append(
    element(
      "label",
      { class: "box" },
      element("input", { type: "checkbox", name, id: name, checked: true }),
      ` ${face}`,
    ),
  );
}

/** Takes a file, and forgets what was made of another one. */
function choose(file: File | undefined): void {
  if (!file) return;
  chosen = file;
  byId("chosen").textContent = `${shownWord(file.name)}, ${
    humanSize(file.size)
  }`;
  changed();
}

/** The form has changed: the isoc made before goes. */
function changed(): void {
  if (busy) return;
  made?.close();
  made = undefined;
  byId("result").hidden = true;
  complain(undefined);
}

/** Shows what went wrong, and where; foreign text stays text. */
function complain(error: unknown): void {
  for (const wrong of document.querySelectorAll("[aria-invalid]")) {
    wrong.removeAttribute("aria-invalid");
  }
  const place = byId("error");
  place.hidden = error === undefined;
  place.textContent = error === undefined ? "" : messageOf(error);
  if (error === undefined) return;
  if (error instanceof FieldError) {
    const wrong = field(error.field);
    wrong.setAttribute("aria-invalid", "true");
    wrong.closest("details")?.setAttribute("open", "");
    wrong.focus();
  } else place.focus();
}

function messageOf(error: unknown): string {
  if (error instanceof FieldError) {
    const label = document.querySelector(`label[for="${error.field}"]`);
    const name = label?.firstChild?.textContent?.trim() ?? "Faces";
    return `${name}: ${error.message}`;
  }
  const file = shownWord(chosen?.name ?? "the file");
  if (error instanceof DescriptionError) return error.message;
  if (error instanceof InputError) return `${file}: ${error.message}`;
  if (error instanceof Stopped || error instanceof NoRoomError) {
    return error.message;
  }
  const { name, message } = error as Error;
  switch (name) {
    case "NotReadableError":
    case "NotFoundError":
      return `${file} cannot be read: it has changed since it was chosen, or ` +
        "it is a directory. Choose it again, or make a tar of it first";
    case "QuotaExceededError":
      return "There is no room for the isoc on this disk";
    case "NotAllowedError":
      return "The browser may not write to that file: save it elsewhere";
    default:
      return `This is a bug in ciso: ${name}, ${message}. Please report it`;
  }
}

/** Runs a piece of work, with the buttons off and errors shown. */
async function work(
  verb: string,
  total: number,
  run: () => Promise<void>,
): Promise<void> {
  if (busy) return;
  busy = true;
  complain(undefined);
  byId("make").setAttribute("disabled", "");
  byId("save").setAttribute("disabled", "");
  progress.start(verb, total);
  let error: unknown;
  try {
    await run();
  } catch (reason) {
    error = reason;
  }
  progress.end();
  byId("make").removeAttribute("disabled");
  byId("save").removeAttribute("disabled");
  busy = false;
  if (error !== undefined) complain(error);
}

async function make(): Promise<void> {
  changed();
  await work("Reading", chosen?.size ?? 0, async () => {
    if (!chosen) {
      throw new FieldError("file", "Choose the tar of a root file system");
    }
    const values = {
      text: (name: string) => field(name).value,
      isOn: (name: string) => (field(name) as HTMLInputElement).checked,
    };
    const description = descriptionOf(values);
    const options = archiveOptionsOf(values);
    const onRead = (bytes: number) => progress.add(bytes);
    const source = await openTar(chosen, onRead);
    if (source !== chosen) progress.start("Reading", (source as Blob).size);
    made = await build(source, description, { ...options, onRead });
    showResult(made);
  });
}

/** The name that an isoc's file has unless the user gives another. */
function fileName({ image }: Isoc): string {
  const { path } = parseName(image.names[0]!);
  return `${path.slice(path.lastIndexOf("/") + 1)}.isoc`;
}

function showResult(isoc: Isoc): void {
  const name = fileName(isoc);
  const facts: [string, string][] = [
    ["Image", isoc.image.names.join(", ")],
    ["Platform", `${isoc.image.os ?? "linux"}/${isoc.image.architecture}`],
    [
      "Size",
      `${humanSize(isoc.size)} (${grouped(isoc.size)} bytes), ${
        counted(isoc.entries, "entry", "entries")
      }`,
    ],
    ["Image ID", `sha256:${isoc.imageId}`],
    ["Load it", `docker load < ${name}`],
  ];
  byId("facts").replaceChildren(
    ...facts.flatMap(([term, text]) => [
      element("dt", { text: term }),
      element("dd", {}, element("code", { text })),
    ]),
  );
  byId("notes").replaceChildren(
    ...isoc.notes.map((text) => element("li", { text })),
  );
  byId("notes").hidden = isoc.notes.length === 0;
  byId("save").textContent = `Save ${name}`;
  byId("saved").textContent = "";
  byId("result").hidden = false;
  byId("save").removeAttribute("disabled");
  byId("save").focus();
}

async function saveMade(): Promise<void> {
  const isoc = made;
  if (!isoc) return;
  byId("saved").textContent = "";
  await work("Writing", isoc.size, async () => {
    const how = await save(
      fileName(isoc),
      () => isoc.stream().pipeThrough(progress.counter()),
    );
    byId("saved").textContent = {
      saved: "Saved.",
      download: "Made; the browser saves it among your downloads.",
      dismissed: "",
    }[how];
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  make();
});
form.addEventListener("input", changed);
byId("save").addEventListener("click", saveMade);
byId("stop").addEventListener("click", () => progress.stop());
chooser.addEventListener("change", () => choose(chooser.files?.[0]));
// The whole page takes what is dropped, so that no file replaces the page.
for (const type of ["dragenter", "dragover"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    byId("drop").classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) byId("drop").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  if (busy) return;
  const files = event.dataTransfer?.files;
  if (files && files.length > 1) {
    complain(
      new FieldError("file", `Drop one file, not ${files.length}`),
    );
  } else if (files?.length) {
    // The file chooser shows the same name, and can open again.
    chooser.files = files;
    choose(files[0]);
  }
});
byId("unbuilt").remove();
document.documentElement.dataset.ready = "true";
