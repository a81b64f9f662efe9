import { utf8 } from "../streams/bytes.ts";
import { toStream } from "../streams/source.ts";
import { writeOutput } from "./output.ts";

/** Lines as bytes, many in one chunk. */
async function* encoded(
  lines: Iterable<string>,
): AsyncGenerator<Uint8Array> {
  let text = "";
  for (const line of lines) {
    text += line;
    if (text.length < 1 << 16) continue;
    yield utf8(text);
    text = "";
  }
  if (text !== "") yield await Promise.resolve(utf8(text));
}

/** Prints lines on standard output, however many they are. */
export async function printLines(lines: Iterable<string>): Promise<void> {
  await writeOutput(toStream(encoded(lines)), undefined);
}
