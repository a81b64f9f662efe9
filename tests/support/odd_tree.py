#!/usr/bin/env python3
"""Make a small tree with all the metadata that a root file system can have.

Needs root, for devices, owners and capabilities, and a file system with
extended attributes.
"""

import os
import struct
import sys

# 2015-06-07 08:09:10.123456789 UTC
TIME = 1433664550_123456789


def acl(*entries):
    """Return a POSIX ACL as the kernel stores it; entries are tag, mode, ID."""
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, mode, number) for tag, mode, number in entries
    )


USER_OBJ, USER, GROUP_OBJ, MASK, OTHER, NO_ID = 1, 2, 4, 0x10, 0x20, 0xFFFFFFFF
# Version 2, effective: CAP_NET_RAW.
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
LONG = "long" * 50


def write(path, text="", mode=0o644):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def make():
    """Make the tree in the working directory."""
    for path in ["bin", "dev", "empty", "etc", "usr", "usr/lib", "var", LONG]:
        os.mkdir(path, 0o755)
    for mode, path in [(0o1777, "tmp"), (0o3770, "own.d"), (0o700, "sp ace")]:
        os.mkdir(path)
        os.chmod(path, mode)

    write("bin/setuid", "u", 0o4755)
    write("bin/setgid", "g", 0o2711)
    write("bin/unreadable", "n", 0o000)
    write("etc/nothing")
    write("etc/numbers", "7" * 100000)
    with open("sparse", "wb") as file:
        file.truncate(1 << 20)
        file.seek(1 << 19)
        file.write(b"data between two holes")

    # Hard links, of a plain file, one with set-uid bit and one with capabilities.
    write("z-file", "several paths")
    os.link("z-file", "a-link")
    os.link("z-file", "bin/link")
    os.link("bin/setuid", "bin/setuid2")
    write("bin/capable", "c", 0o755)
    os.setxattr("bin/capable", "security.capability", CAPABILITY)
    os.link("bin/capable", "bin/capable2")
    write("bin/ping", "p", 0o755)
    os.setxattr("bin/ping", "security.capability", CAPABILITY)

    for target, path in [
        ("usr/lib", "lib"),
        ("/abso/lute", "etc/absolute"),
        ("../..//x/", "etc/relative"),
        (b"\xff \n\\ ", "etc/strange"),
        (f"{LONG}/{LONG}", "longlink"),
    ]:
        os.symlink(target, path)
    os.link("lib", "lib-link", follow_symlinks=False)
    os.link("etc/absolute", "etc/dangling-link", follow_symlinks=False)
    write("usr/lib/x.so")
    write(f"{LONG}/{LONG}", "long")
    os.link(f"{LONG}/{LONG}", f"{LONG}/link")

    os.mkfifo("dev/pipe", 0o640)
    os.mknod("dev/null", 0o20666, os.makedev(1, 3))
    os.mknod("dev/block", 0o60640, os.makedev(8, 4097))
    os.mknod("dev/large", 0o60600, os.makedev(511, 1048575))

    for name in [
        b"caf\xe9",
        "日本".encode(),
        b"new\nline",
        b"back\\slash",
        b"back\\nslash",
        b"quo'te\"s",
        b"tab\there",
        b"blank ",
        b"sp ace/ blank",
        b"*?[!]",
        b"-o",
        b"=",
    ]:
        write(name, "named")

    os.setxattr("etc/numbers", "user.text", b'quo"te=\n')
    os.setxattr("etc/numbers", "user.bytes", b"\0\xff\n\0")
    os.setxattr("etc/numbers", "trusted.any", b"t")
    os.setxattr("var", "user.directory", b"d")
    owner = (USER_OBJ, 6, NO_ID)
    rest = [(GROUP_OBJ, 4, NO_ID), (MASK, 6, NO_ID), (OTHER, 4, NO_ID)]
    list_ = acl(owner, (USER, 6, 1234), *rest)
    write("etc/acl", "acl", 0o664)
    os.setxattr("etc/acl", "system.posix_acl_access", list_)
    os.setxattr("var", "system.posix_acl_default", list_)

    os.chown("etc/nothing", 3000000, 4000000)
    os.chown("own.d", 5, 6)
    os.chown("etc/relative", 7, 8, follow_symlinks=False)
    os.chown("dev/pipe", 9, 10)

    times = {
        "bin/unreadable": -315521754_750000000,
        "etc/nothing": 0,
        "etc/absolute": 981173106_700000000,
        "usr/lib": 946684799_000000001,
        ".": 1433664550_500000000,
    }
    os.chown(".", 11, 12)
    os.chmod(".", 0o711)
    for folder, below, names in os.walk(b"."):
        for path in [os.path.join(folder, name) for name in below + names]:
            time = times.get(os.fsdecode(os.path.normpath(path)), TIME)
            os.utime(path, ns=(time, time), follow_symlinks=False)
    os.utime(".", ns=(times["."], times["."]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: odd_tree.py DIR\nMakes the tree in DIR, a new directory.")
    os.umask(0)
    os.mkdir(sys.argv[1])
    os.chdir(sys.argv[1])
    make()
