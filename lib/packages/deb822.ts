/** Fields of a paragraph by name, in lower case. */
export type Fields = ReadonlyMap<string, string>;

/**
 * Reads paragraphs of `Field: value` lines, as dpkg's databases and DEP-5 have
 * them (deb822(5)), and the headers of Python's METADATA (RFC 822).
 *
 * @param wanted The fields that are kept, in lower case; all others cost no
 * memory. Of a field that comes again, the first one counts.
 */
export function* paragraphs(
  text: string,
  wanted: ReadonlySet<string>,
): Generator<Fields> {
  let fields = new Map<string, string>();
  let open: string | undefined;
  let isEmpty = true;
  for (const line of linesOf(text)) {
    if (line === "") {
      if (!isEmpty) yield fields;
      fields = new Map();
      open = undefined;
      isEmpty = true;
      continue;
    }
    isEmpty = false;
    if (line[0] === " " || line[0] === "\t") {
      if (open) fields.set(open, `${fields.get(open)}\n${line.slice(1)}`);
      continue;
    }
    open = undefined;
    const colon = line.indexOf(":");
    if (colon <= 0 || line[0] === "#") continue;
    const name = line.slice(0, colon).toLowerCase();
    if (!wanted.has(name) || fields.has(name)) continue;
    fields.set(name, line.slice(colon + 1).trim());
    open = name;
  }
  if (!isEmpty) yield fields;
}

/** The lines of a text, one after the other. */
export function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    let to = text.indexOf("\n", from);
    if (to < 0) to = text.length;
    yield text.slice(from, text[to - 1] === "\r" && to > from ? to - 1 : to);
    from = to + 1;
  }
}
