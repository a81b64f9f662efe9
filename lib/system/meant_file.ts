/**
 * JavaScript for other threads, which run text: a function that opens a file by
 * its path. It throws if that is not the file that was meant: another one may
 * be there by now. Its `fs` is Node's file system.
 */
export const OPEN_MEANT = `
const openMeant = (fs, { path, id }, flags) => {
  // Standard input has no path, but its number.
  const fd = path === 0 ? 0 : fs.openSync(path, flags);
  const { dev, ino } = fs.fstatSync(fd, { bigint: true });
  if (id === dev + ":" + ino) return fd;
  if (fd > 0) fs.closeSync(fd);
  throw "it is another file";
};`;
