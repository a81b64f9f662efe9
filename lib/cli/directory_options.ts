import type { WalkOptions } from "../directory/walk.ts";
import type { EditPlan } from "./edit_plan.ts";

/**
 * How directories among the inputs are read: what edits leave out is not looked
 * at.
 *
 * @param output Where the archive goes, if it is a file.
 */
export function directoryOptions(
  { edits: { exclude, owner } }: EditPlan,
  output: string | undefined,
): WalkOptions {
  return {
    output: output ?? null,
    ...(exclude && { ignore: exclude.rules }),
    ...(owner && { owner: { uid: owner.uid, gid: owner.gid } }),
    onChange(change) {
      const tally = change === "excluded" ? exclude?.tally : owner?.tally;
      if (tally) tally.entries++;
    },
  };
}
