import type { NodeType } from "../inspect/file_tree.ts";
import type { InspectReport } from "../inspect/report.ts";
import { grouped, type Paint, plain, table } from "./style.ts";
import { humanSize } from "../inspect/human_size.ts";
import { section } from "./text_sections.ts";

const TYPES: Record<NodeType, [one: string, many: string]> = {
  "file": ["file", "files"],
  "directory": ["directory", "directories"],
  "missing-directory": ["directory without entry", "directories without entry"],
  "symlink": ["symlink", "symlinks"],
  "hardlink": ["hard link", "hard links"],
  "character-device": ["character device", "character devices"],
  "block-device": ["block device", "block devices"],
  "fifo": ["FIFO", "FIFOs"],
  "whiteout": ["whiteout", "whiteouts"],
};

/** What there is to say about a tree of files. */
export function treeSections(
  tree: InspectReport["tree"],
  paint: Paint,
): string[] {
  const counts = (Object.keys(TYPES) as NodeType[]).flatMap((type) => {
    const count = tree.types[type];
    return count
      ? [`${grouped(count)} ${TYPES[type][count === 1 ? 0 : 1]}`]
      : [];
  });
  const right = (title: string) => ({ title, right: true });
  return [
    section("Files", [
      `  ${counts.join(", ") || "none"}; ${humanSize(tree.bytes)} in all`,
    ], paint),
    section(
      "Largest files",
      table(
        [right("SIZE"), right("LAYER"), { title: "PATH" }],
        tree.largestFiles.map(({ path, bytes, layer }) => [
          humanSize(bytes),
          String(layer),
          plain(path),
        ]),
        paint,
      ),
      paint,
    ),
    section(
      "Largest directories",
      table(
        [right("SIZE"), right("FILES"), { title: "PATH" }],
        tree.largestDirectories.map(({ path, bytes, files }) => [
          humanSize(bytes),
          grouped(files),
          `${plain(path)}/`,
        ]),
        paint,
      ),
      paint,
    ),
  ];
}
