/**
 * The directory of an archive that rkt, runc and LXD take as the root file
 * system.
 */
export const ROOTFS = "rootfs/";
