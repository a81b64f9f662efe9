/** The version of the program; deno.json has the same, and a test compares. */
export const VERSION = "0.1.0";

/** The usage of 2015, which stays. */
export const CLASSIC_USAGE = "cat rootfs.tar | NAME= COMMAND= ✂ > image.isoc";
