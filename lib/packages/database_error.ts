/** A file that names packages cannot be read; the message says why. */
export class DatabaseError extends Error {
  override name = "DatabaseError";
}
