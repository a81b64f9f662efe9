#!/usr/bin/env python3
"""Make a tree whose names have the lengths at which tar's formats change.

    long_names.py DIR v7|ustar|gnu|pax

Each format gets what it can hold. Needs root, for owners and devices.
"""

import os
import sys

TIME = 1433664550
EDGES = [92, 93, 94, 98, 99, 100, 101, 102]
ODD = [b"caf\xe9", "日本".encode(), b"a blank", b" ", b"new\nline", b"quo'te\"s", b"back\\slash"]


def write(path, text=b"text"):
    with open(path, "wb") as file:
        file.write(text)


def deep(total, width):
    """Return a path of that many bytes, of components at most width long."""
    parts = []
    while total > 0:
        part = min(width, total)
        # A component needs a byte after the slash.
        if total - part == 1:
            part -= 1
        parts.append(b"d" * part)
        total -= part + 1
    return b"/".join(parts)


def make(form):
    """Make the tree in the working directory."""
    far = {"v7": 99, "ustar": 240, "gnu": 3902, "pax": 3902}[form]
    lengths = [n for n in [*EDGES, 154, 155, 156, 157, 254, 255] if n <= min(far, 255)]
    os.mkdir("n")
    for i in lengths:
        # After "./n/" or "n/", so that both sides of each edge are met.
        if form in ("gnu", "pax") or i <= 96:
            write(b"n/" + b"n" * (i - 2 if i > 3 else i))
    # Docker's own directory in front of the last one must fit into 4095 bytes.
    paths = [*EDGES, 155, 156, 163, 200, 240, 255, 256, 257, 1000, 3900]
    for i in [n for n in paths if n <= far - 2]:
        path = deep(i, 40 if form in ("v7", "ustar") else 200)
        top = f"p{i}".encode()
        path = top + b"/" + path[len(top) + 1 :]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path)
        if len(path) <= min(far, 96 if form in ("v7", "ustar") else far):
            # Links of which the prefix rootfs/ makes the target too long.
            os.link(path, f"hard{i}")
            os.symlink(path, f"soft{i}")
    for name in ODD if form != "ustar" else ODD[1:]:
        write(name, name)
        os.symlink(name, b"to " + name)
        os.link(name, b"is " + name)
    os.mkdir("empty")
    write("nothing", b"")
    if form != "v7":
        os.mkfifo("pipe")
        os.mknod("null", 0o20666, os.makedev(1, 3))
        os.mknod("disk", 0o60660, os.makedev(8, 1))
    write("setuid")
    os.chmod("setuid", 0o6755)
    os.mkdir("tmp")
    os.chmod("tmp", 0o1777)
    if form in ("gnu", "pax"):
        write("large owner")
        os.chown("large owner", 2097152, 4294967294)
    os.chmod(".", 0o2750)
    os.chown(".", 11, 12)
    for folder, below, names in os.walk(b".", topdown=False):
        for name in below + names:
            os.utime(os.path.join(folder, name), (TIME, TIME), follow_symlinks=False)
    os.utime(".", (TIME + 1, TIME + 1))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: long_names.py DIR v7|ustar|gnu|pax")
    os.umask(0o022)
    os.mkdir(sys.argv[1])
    os.chdir(sys.argv[1])
    make(sys.argv[2])
