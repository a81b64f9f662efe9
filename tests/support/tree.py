#!/usr/bin/env python3
"""Print a canonical listing of a file tree, one line a path.

Two trees are the same when their listings are the same. Each line is

    PATH TYPE mode=OCTAL owner=UID:GID mtime=NANOSECONDS [more fields]

with these further fields where they apply: size= and sha256= (regular files),
target= (symbolic links), device=MAJOR:MINOR (devices), xattr:NAME=HEX, and
same-as=PATH (an inode with several names in this tree; PATH is the first of
them in this listing's order). PATH is "." for DIR itself, otherwise relative
to DIR. Bytes outside printable ASCII, blanks and backslashes are written as
\\xNN, so a line has no other blanks or line breaks than the separators. Lines
are in the byte order of the unescaped paths.

Access times, change times, inode numbers and the sizes of directories are not
listed: no archive carries them, or no engine keeps them.
"""

import argparse
import fnmatch
import hashlib
import os
import stat
import sys
import tarfile

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


CAPABILITY = "security.capability"


def escape(raw):
    """Return bytes as printable ASCII without blanks; distinct in, distinct out."""
    return "".join(
        chr(b) if 0x21 <= b <= 0x7E and b != 0x5C else f"\\x{b:02x}" for b in raw
    )


def clean(path):
    """Return a path as typed, as bytes relative to the tree's root."""
    return os.path.normpath(os.fsencode(path).lstrip(b"/") or b".")


def walk(top):
    """Yield (path relative to top, status) of everything in a tree, top included."""
    yield b".", os.lstat(top)
    pending = [b""]
    while pending:
        below = pending.pop()
        with os.scandir(os.path.join(top, below)) as entries:
            for entry in entries:
                path = os.path.join(below, entry.name)
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)
                yield path, status


def missing_directories(archive):
    """Return the directories above a tar's entries that have no entry there."""
    present, above = set(), {b"."}
    with tarfile.open(
        archive, encoding="utf-8", errors="surrogateescape"
    ) as entries:
        for entry in entries:
            path = clean(entry.name)
            present.add(path)
            while path := os.path.dirname(path):
                above.add(path)
    return above - present


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def attributes(full, kind, linked, options):
    """Yield the names and values of the extended attributes to be listed."""
    if options.xattrs_of_files_only and kind != stat.S_IFREG:
        return
    for name in sorted(os.listxattr(full, follow_symlinks=False)):
        if linked and options.no_capability_of_links and name == CAPABILITY:
            continue
        if not any(fnmatch.fnmatchcase(name, glob) for glob in options.no_xattr):
            yield name, os.getxattr(full, name, follow_symlinks=False)


def describe(full, path, status, first, options):
    """Return the line of one path; first is the inode's first of several paths."""
    kind = stat.S_IFMT(status.st_mode)
    fields = [escape(path), TYPES[kind]]
    if path in options.bare:
        return " ".join(fields)
    fields.append(f"mode={stat.S_IMODE(status.st_mode):04o}")
    fields.append(f"owner={status.st_uid}:{status.st_gid}")
    if path not in options.ignore_mtime and not (
        options.no_mtime_of_dirs and kind == stat.S_IFDIR
    ):
        time = status.st_mtime_ns
        if options.no_negative_mtime:
            time = max(time, 0)
        fields.append(f"mtime={time // 10**9 if options.no_ns else time}")
    if kind == stat.S_IFREG:
        fields.append(f"size={status.st_size}")
        # A further path of an inode has the content of the first one.
        if first in (None, path):
            fields.append(f"sha256={sha256(full)}")
    elif kind == stat.S_IFLNK:
        fields.append(f"target={escape(os.readlink(full))}")
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        rdev = status.st_rdev
        fields.append(f"device={os.major(rdev)}:{os.minor(rdev)}")
    for name, value in attributes(full, kind, first is not None, options):
        fields.append(f"xattr:{escape(os.fsencode(name))}={value.hex()}")
    if first not in (None, path) and not (
        options.no_links_of_symlinks and kind == stat.S_IFLNK
    ):
        fields.append(f"same-as={escape(first)}")
    return " ".join(fields)


def hidden(status):
    """Tell whether ciso hides a file from rkt."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev != os.makedev(1, 3)


def listing(top, options):
    """Yield the lines of a tree."""
    found = sorted(
        item
        for item in walk(top)
        if item[0] not in options.ignore
        and not (options.no_char_devices and hidden(item[1]))
    )
    names = {}
    for path, status in found:
        if not stat.S_ISDIR(status.st_mode):
            names.setdefault((status.st_dev, status.st_ino), []).append(path)
    for path, status in found:
        group = names.get((status.st_dev, status.st_ino), [])
        first = group[0] if len(group) > 1 else None
        yield describe(os.path.join(top, path), path, status, first, options)


def main():
    parser = argparse.ArgumentParser(
        description="Print a canonical listing of a file tree, one line a path."
    )
    parser.add_argument("dir", metavar="DIR", type=os.fsencode)
    paths = {"metavar": "PATH", "action": "append", "default": [], "type": clean}
    # json, VERSION and layer.tar of Docker v1 are in rootfs/ of the appc and
    # bundle trees and are in no input.
    parser.add_argument(
        "--ignore", **paths, help="leave this path out, not what is below it"
    )
    # Docker leaves the root directory as it made it, whatever "./" says.
    parser.add_argument(
        "--bare", **paths, help="print no more than the type of this path"
    )
    # A parent directory without an entry of its own gets whatever owner, mode
    # and time the extractor likes.
    parser.add_argument(
        "--bare-missing",
        metavar="TAR",
        help="print no more than the type of directories that TAR lacks an entry for",
    )
    # All engines make it with mode 0755 for root, but each at its own time.
    parser.add_argument(
        "--ignore-mtime-of-missing",
        metavar="TAR",
        help="leave out the mtime of directories that TAR lacks an entry for",
    )
    # A file that the test itself has changed.
    parser.add_argument(
        "--ignore-mtime", **paths, help="leave out the mtime of this path"
    )
    # For a tree in which files were added or removed after it was extracted.
    parser.add_argument(
        "--no-mtime-of-dirs",
        action="store_true",
        help="leave out the mtimes of directories",
    )
    # The ustar and GNU formats, and so docker export, know whole seconds only.
    parser.add_argument(
        "--no-ns",
        action="store_true",
        help="print mtimes in whole seconds, rounded down",
    )
    # Docker sets a time before 1970 to 1970.
    parser.add_argument(
        "--no-negative-mtime",
        action="store_true",
        help="print a time before 1970 as 0",
    )
    # rkt sets user.* and security.capability and drops all others.
    parser.add_argument(
        "--no-xattr",
        metavar="GLOB",
        action="append",
        default=[],
        help="leave out extended attributes of such a name",
    )
    # rkt sets them for regular files only.
    parser.add_argument(
        "--xattrs-of-files-only",
        action="store_true",
        help="leave out extended attributes of all but regular files",
    )
    # rkt and Docker change the owner once more for the hard link, which makes
    # the kernel drop the capabilities, and set no attribute after that.
    parser.add_argument(
        "--no-capability-of-links",
        action="store_true",
        help="leave out the capabilities of files with several paths",
    )
    # rkt fails on a hard link to a symbolic link, so it gets a second one.
    parser.add_argument(
        "--no-links-of-symlinks",
        action="store_true",
        help="do not say which symbolic links are one inode",
    )
    # rkt reads them to their end, so the manifest hides them from it.
    parser.add_argument(
        "--no-char-devices",
        action="store_true",
        help="leave out character devices other than /dev/null's",
    )
    options = parser.parse_args()
    try:
        if options.bare_missing:
            options.bare = {*options.bare, *missing_directories(options.bare_missing)}
        if options.ignore_mtime_of_missing:
            options.ignore_mtime += missing_directories(options.ignore_mtime_of_missing)
        for line in listing(options.dir, options):
            print(line)
    except (OSError, tarfile.TarError) as error:
        sys.exit(f"tree.py: {error}")


if __name__ == "__main__":
    main()
