import { OPEN_MEANT } from "./meant_file.ts";

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
const fd = openMeant(fs, ${file}, "r");
return (chunk, list) => {
  const { buffer, byteOffset, length } = list;
  const numbers = new Float64Array(buffer, byteOffset, length / 8);
  const end = 1 + 3 * numbers[0];
  for (let i = 1; i < end; i += 3) {
    const position = numbers[i];
    const at = numbers[i + 1];
    for (let done = 0; done < numbers[i + 2];) {
      const rest = numbers[i + 2] - done;
      const count = fs.readSync(fd, chunk, at + done, rest, position + done);
      if (count === 0) throw "it is shorter than it was";
      done += count;
    }
  }
};`;
}
