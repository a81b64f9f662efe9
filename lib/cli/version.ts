import config from "../../deno.json" with { type: "json" };

/** The version of the program; deno.json is the only place that says it. */
export const VERSION: string = config.version;

/**
 * What `--version --verbose` adds: the git commit that the program was built of.
 * scripts/build puts it into the bundle in place of `unknown`.
 */
export const COMMIT_LINE = "commit: unknown";

/** The usage of 2015, which stays. */
export const CLASSIC_USAGE = "cat rootfs.tar | NAME= COMMAND= ✂ > image.isoc";
