import { OPEN_MEANT } from "./meant_file.ts";
import { FILL } from "./whole_calls.ts";

/**
 * What another thread runs to get a function that reads pieces of a file, listed
 * as a `PiecesOfFile` does. It takes no file that is not the one that was meant.
 *
 * @param path Where the file is; 0 is standard input.
 * @param id Device and inode of the file.
 */
export function piecesCode(path: string | number, id: string): string {
  const file = JSON.stringify({ path, id });
  return `
${OPEN_MEANT}
${FILL}
const fd = openMeant(fs, ${file}, "r");
const read = (chunk, list) => {
  const { buffer, byteOffset, length } = list;
  const numbers = new Float64Array(buffer, byteOffset, length / 8);
  const end = 1 + 3 * numbers[0];
  for (let i = 1; i < end; i += 3) {
    const at = numbers[i + 1];
    fill(fs, fd, chunk.subarray(at, at + numbers[i + 2]), numbers[i]);
  }
};
const close = () => fd > 0 && fs.closeSync(fd);
return Object.assign(read, { close });`;
}
