import type { FileSource } from "../read/image_files.ts";
import { utf8 } from "../streams/bytes.ts";
import { readAt } from "../streams/source.ts";
import type { CheckedTree } from "./checked_tree.ts";
import type { Documents } from "./documents.ts";
import { FLAG, isDirectory, NODE } from "./entry_table.ts";

/** Account files larger than this are not read, in bytes. */
const MAX_ACCOUNTS = 1 << 20;

/**
 * Reads /etc/passwd and /etc/group below rootfs/.
 *
 * @returns `undefined` if one is there and no plain file of a usual size.
 */
export async function readAccounts(
  rootfs: CheckedTree,
  source: FileSource,
): Promise<Documents["accounts"]> {
  const { table } = rootfs;
  const texts: string[] = [];
  for (const path of ["etc/passwd", "etc/group"]) {
    const slot = rootfs.find(utf8(path));
    const root = slot < 0 ? -1 : table.root(slot);
    if (root < 0) texts.push("");
    else if (
      table.node(root) !== NODE.file || table.has(root, FLAG.sparse) ||
      table.size(root) > MAX_ACCOUNTS
    ) return undefined;
    else {
      const bytes = await readAt(source, table.data(root), table.size(root));
      texts.push(new TextDecoder().decode(bytes));
    }
  }
  // Below a symlink there may be others.
  const etc = rootfs.find(utf8("etc"));
  if (etc >= 0 && !isDirectory(table.node(etc))) return undefined;
  return { passwd: texts[0]!, group: texts[1]! };
}
