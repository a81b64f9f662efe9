/**
 * What of isoc needs files: for Deno, Bun and Node. All else is in `@isoc/isoc`,
 * which a browser can run too.
 *
 * @module
 */
export { spoolToFile } from "./system/spool_file.ts";
