// JavaScript for other threads, which run text: calls that do all that is asked
// for, where the system's may do less. Their `fs` is Node's file system.

/** A function that fills memory from an offset in a file on, or throws. */
export const FILL = `
const fill = (fs, fd, bytes, position) => {
  for (let done = 0; done < bytes.length;) {
    const rest = bytes.length - done;
    const count = fs.readSync(fd, bytes, done, rest, position + done);
    if (count === 0) throw "it is shorter";
    done += count;
  }
};`;

/** A function that writes all bytes to an offset in a file. */
export const WRITE_ALL = `
const writeAll = (fs, fd, bytes, position) => {
  for (let done = 0; done < bytes.length;) {
    const rest = bytes.length - done;
    done += fs.writeSync(fd, bytes, done, rest, position + done);
  }
};`;
