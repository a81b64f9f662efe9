import { linesOf } from "./deb822.ts";
import type { Distribution } from "./package.ts";

/** Reads os-release(5): lines of `KEY=VALUE`, quoted as in a shell. */
export function readOsRelease(text: string): Distribution | undefined {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, key, value] = /^([A-Z_]+)=(.{0,200})$/.exec(line) ?? [];
    if (key !== undefined) values.set(key, unquoted(value!.trim()));
  }
  const id = values.get("ID")?.toLowerCase();
  // os-release(5): lower-case letters, digits, dots, lines and underscores.
  if (id === undefined || !/^[a-z0-9._-]+$/.test(id)) return undefined;
  const version = values.get("VERSION_ID") || values.get("VERSION_CODENAME");
  const name = values.get("PRETTY_NAME") || values.get("NAME");
  return { id, ...(version && { version }), ...(name && { name }) };
}

function unquoted(value: string): string {
  const [, , inner] = /^(["'])(.*)\1$/.exec(value) ?? [];
  return (inner ?? value).replace(/\\(["'$`\\])/g, "$1");
}
