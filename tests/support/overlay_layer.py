#!/usr/bin/env python3
"""Write the upper directory of an overlay mount as an image layer.

What the kernel notes as deleted becomes a whiteout, a directory that hides what
is below it gets an opaque marker (OCI image specification, layer.md). UPPER is
changed to what the layer holds; it must not be mounted any more.
"""

import os
import stat
import subprocess
import sys


def convert(folder):
    """Turn the kernel's notes in a directory into files; times stay."""
    before = os.lstat(folder)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            convert(path)
        elif stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            os.unlink(path)
            open(os.path.join(folder, b".wh." + name), "x").close()
    for key in os.listxattr(folder):
        if key == "trusted.overlay.opaque":
            open(os.path.join(folder, b".wh..wh..opq"), "x").close()
        if key.startswith("trusted.overlay."):
            os.removexattr(folder, key)
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: overlay_layer.py UPPER LAYER.tar [TAR OPTION...]")
    upper, layer, *options = sys.argv[1:]
    convert(os.fsencode(upper))
    command = ["tar", "--create", "--file", layer, "--directory", upper]
    names = sorted(os.listdir(os.fsencode(upper)))
    if names:
        command += [*options, "--", *(b"./" + name for name in names)]
    else:
        command += ["--files-from=/dev/null"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
