import { DatabaseSync } from "node:sqlite";
import { concat, utf8 } from "../../lib/streams/bytes.ts";

/** Values of a header by their tag: numbers are INT32, a list is of strings. */
export type Tags = Record<number, string | string[] | number[]>;

/** A header as rpm keeps it in its database. */
export function rpmHeader(tags: Tags): Uint8Array {
  const index: number[][] = [];
  let store: Uint8Array = new Uint8Array(0);
  for (const [tag, value] of Object.entries(tags)) {
    const isNumbers = typeof value !== "string" && typeof value[0] === "number";
    const type = typeof value === "string" ? 6 : isNumbers ? 4 : 8;
    const count = typeof value === "string" ? 1 : value.length;
    index.push([Number(tag), type, store.length, count]);
    const data = isNumbers
      ? words(value as number[])
      : utf8([value].flat().map((text) => `${text}\0`).join(""));
    store = concat([store, data]);
  }
  return concat([words([index.length, store.length, ...index.flat()]), store]);
}

function words(values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setUint32(4 * i, value));
  return bytes;
}

/** A database of headers, as rpm 4.16 and newer make it. */
export async function rpmDatabase(
  headers: Uint8Array[],
  pageSize = 4096,
): Promise<Uint8Array> {
  const path = await Deno.makeTempFile({ prefix: "isoc-rpmdb-" });
  try {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA page_size = ${pageSize}`);
    database.exec("CREATE TABLE Other(key TEXT, hnum INTEGER)");
    database.exec(
      "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY AUTOINCREMENT, " +
        "blob BLOB NOT NULL)",
    );
    const insert = database.prepare("INSERT INTO Packages(blob) VALUES (?)");
    database.exec("BEGIN");
    for (const header of headers) insert.run(header);
    database.exec("COMMIT");
    database.close();
    return await Deno.readFile(path);
  } finally {
    await Deno.remove(path);
  }
}
