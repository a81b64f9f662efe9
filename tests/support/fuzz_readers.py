#!/usr/bin/env python3
"""Read archives of ciso as others do: fuzz_readers.py ARCHIVE...

Prints a line for each that Python or GNU tar rejects, or in whose layer one of
them sees another tree than below rootfs/: then ciso has read the tar in a way of
its own, since the layer is the tar itself where nothing had to change.
"""

import os
import re
import subprocess
import sys
import tarfile
import zlib

OWN = {b"json", b"VERSION", b"layer.tar"}


def opened(**where):
    """Open a tar."""
    return tarfile.open(errors="surrogateescape", encoding="utf-8", **where)


def clean(path):
    return os.path.normpath(b"/" + path.lstrip(b"/"))[1:]


def python_view(tar):
    """Return what Python sees of each entry, by its path."""
    found = {}
    for entry in tar:
        raw = entry.name.encode("utf-8", "surrogateescape")
        link = entry.linkname.encode("utf-8", "surrogateescape")
        facts = [entry.mode & 0o7777, entry.uid, entry.gid, entry.mtime]
        if entry.islnk():
            kind = "link"
        elif entry.issym():
            kind = "symlink"
            facts.append(link)
        elif entry.isdir():
            kind = "directory"
        elif entry.isreg():
            kind = "file"
            facts.append(entry.size)
            facts.append(zlib.crc32(tar.extractfile(entry).read()))
        else:
            kind = "other"
            facts.append(entry.type)
            # Nobody makes a FIFO with the numbers of a device.
            if entry.isdev() and not entry.isfifo():
                facts += [entry.devmajor, entry.devminor]
        found[clean(raw)] = (kind, clean(link) if kind == "link" else b"", facts)
    return found


KINDS = {"-": "file", "C": "file", "h": "link", "l": "symlink", "d": "directory"}
NAME = rb'"((?:[^"\\]|\\.)*)"'
LINE = re.compile(
    rb"(.)(.{9}) (\d+/\d+) +([\d,]+) (\S+ \S+) +" + NAME + rb"(?: (?:->|link to) " + NAME + rb")?"
)


def gnu_view(listing):
    """Return what GNU tar sees of each entry, by its path."""
    found = {}
    for line in listing.splitlines():
        letter, mode, owner, size, time, name, link = LINE.fullmatch(line).groups()
        kind = KINDS.get(letter.decode(), letter.decode())
        target = b""
        if kind == "link":
            link = clean(link)
        else:
            link, target = b"", link
        # Only files have data; a directory's size means nothing.
        if kind in ("directory", "link", "symlink", "p"):
            size = b""
        found[clean(name)] = (kind, link, [mode, owner, size, time, target])
    return found


def difference(archive, layer):
    """Say in what path the tree below rootfs/ differs from the layer's."""
    rootfs = {}
    for path, (kind, link, facts) in archive.items():
        if path == b"rootfs":
            rootfs[b""] = (kind, link, facts)
        elif path.startswith(b"rootfs/"):
            if kind == "link":
                if not link.startswith(b"rootfs/"):
                    return f"{path!r} leads to {link!r}"
                link = link[7:]
            rootfs[path[7:]] = (kind, link, facts)
    symlinks = {path for path, facts in layer.items() if facts[0] in ("symlink", "link")}
    for path in layer:
        while path := os.path.dirname(path):
            if path in symlinks:
                # Entries have moved to where it leads.
                return None
    for path in rootfs.keys() | layer.keys():
        one, two = rootfs.get(path), layer.get(path)
        if one and two and (one[0], two[0]) == ("symlink", "link"):
            continue
        if two is None and (path in OWN or path == b"" or one[0] == "directory"):
            continue
        # A hard link may lead to another path of the same file.
        if one and two and one[0] == two[0] == "link" and one[2] == two[2]:
            continue
        if one != two:
            return f"{path!r} is {one} below rootfs/, {two} in the layer"
    return None


def check(path):
    """Yield what is wrong with an archive."""
    try:
        with opened(name=path) as tar:
            archive = python_view(tar)
            blob = tar.getmember("rootfs/layer.tar") if b"rootfs/layer.tar" in archive else None
            if blob is None or not blob.issym():
                # The face for old Docker is elsewhere.
                blob = next(e for e in tar if re.fullmatch("[0-9a-f]{64}/layer.tar", e.name))
            file = tar.extractfile(tar.getmember("blobs/sha256/" + blob.linkname[-64:]))
            with opened(fileobj=file) as inner:
                layer = python_view(inner)
            file.seek(0)
            data = file.read()
    except (tarfile.TarError, ValueError, KeyError) as error:
        yield f"Python: {error!r}"
        return
    if found := difference(archive, layer):
        yield f"Python: {found}"
    views = []
    for name, options in [("archive", {}), ("layer", {"input": data})]:
        done = subprocess.run(
            [
                "tar", "--numeric-owner", "--full-time", "--quoting-style=c",
                "-tvf", "-" if options else path,
            ],
            capture_output=True,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
            **options,
        )
        if done.returncode != 0:
            yield f"GNU tar, {name}: {done.stderr.decode(errors='replace').splitlines()[0]}"
            return
        views.append(gnu_view(done.stdout))
    if found := difference(*views):
        yield f"GNU tar: {found}"


for path in sys.argv[1:]:
    for line in check(path):
        print(f"{path}: {line}")
