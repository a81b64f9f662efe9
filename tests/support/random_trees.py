#!/usr/bin/env python3
"""Make random trees, tar them, and compare what becomes of them.

    random_trees.py make DIR SEED FIRST COUNT [--visible]
        DIR/N.tar of DIR/trees/N for each number N; --visible leaves out what ciso
        hides from rkt
    random_trees.py batch DIR WRITER OUT
        one tar of all trees in DIR/trees
    random_trees.py compare DIR FIRST COUNT
        DIR/N.tar with DIR/N.isoc, both extracted

The same seed makes the same trees. Needs root, and a file system with extended
attributes. DIR/N.json says of an archive: "layer", the path of its layer's blob,
"changed", whether that is not the tar, and "repeated", whether paths came again;
or it says "refused", with the reason.
"""

import argparse
import json
import os
import random
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.dirname(__file__))
import tree  # noqa: E402

WRITERS = ["v7", "gnu", "ustar", "pax", "bsdtar", "python"]

PIECES = [
    *[b"a", b"lib", b"usr", b"x.so", b"README", b"-", b"--", b".", b"..", b"_"],
    *[b" ", b"\n", b"\t", b"\\", b"\\n", b"'", b'"', b"*", b"?", b"[", b"=", b"%"],
    *["é".encode(), "日本".encode(), "🙂".encode(), b"\xff", b"\xc3\x28", b"\x01\x7f"],
]
LENGTHS = [92, 93, 94, 98, 99, 100, 101, 148, 149, 154, 155, 156, 254, 255]
SIZES = [0, 0, 1, 2, 511, 512, 513, 1023, 1024, 1025, 5000]
NUMBERS = [0, 0, 0, 1, 1000, 65534, 2097151, 2097152, 3000000, 2**31, 2**32 - 2]
TIMES = [0, 1, -1, 1433664550, 2**31 - 1, 2**31, 2**33 - 1, 2**33, -(10**8), 10**9]
DEVICES = [(1, 3), (8, 1), (8, 4097), (511, 1048575), (0, 1)]
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


class Maker:
    """Makes one random tree."""

    def __init__(self, rng, top, writer, several, visible=False):
        self.rng = rng
        # What rkt must not see is left out by a list of the rest, and a list can
        # name no file whose name is not UTF-8.
        self.visible = visible
        # GNU tar keeps a place for a symlink that leads out, and may confuse what
        # takes the place with it.
        self.tame = several
        old = writer in ("v7", "ustar")
        # bsdtar writes half a header of what its GNU format cannot hold.
        self.devices = DEVICES[:2] if writer == "bsdtar" else DEVICES
        # Old formats have no room for large numbers, and leave such files out.
        self.numbers = [n for n in NUMBERS if n < 2**21] if old else NUMBERS
        self.times = [t for t in TIMES if 0 <= t < 2**33 - 1] if old else TIMES
        self.top = os.fsencode(top)
        self.dirs = [b""]
        self.files = []

    def name(self):
        rng = self.rng
        while True:
            if rng.random() < 0.12:
                name = rng.choice([b"n", b"\xe9"]) * rng.choice(LENGTHS)
            else:
                name = b"".join(rng.choices(PIECES, k=rng.randint(1, 3)))
            if name not in (b".", b"..") and not name.startswith(b".wh."):
                return name

    def path(self):
        """Return a new path below a random directory."""
        while True:
            path = os.path.join(self.rng.choice(self.dirs), self.name())
            if len(path) < 3000 and not os.path.lexists(self.full(path)):
                return path

    def full(self, path):
        return os.path.join(self.top, path) if path else self.top

    def target(self, path):
        rng = self.rng
        kind = 3 if self.tame else rng.randrange(5)
        if kind == 0 and self.files:
            return b"/" + rng.choice(self.files)
        if kind == 1:
            return rng.choice([b"t", b"\xff"]) * rng.choice([99, 100, 101, 255, 600])
        if kind == 2:
            # skopeo takes none that lead out of the archive.
            return b"../" * min(rng.randint(1, 4), path.count(b"/") + 2) + self.name()
        return self.name()

    def add(self):
        rng = self.rng
        path = self.path()
        full = self.full(path)
        kind = rng.choice(
            ["file"] * 6 + ["dir"] * 5 + ["symlink"] * 3 + ["hardlink"] * 3
            + ["fifo", "device", "sparse", "deep"]
        )
        if kind == "hardlink" and self.files:
            os.link(
                self.full(rng.choice(self.files)), full, follow_symlinks=False
            )
            self.files.append(path)
            return
        if kind in ("dir", "deep"):
            for _ in range(1 if kind == "dir" else rng.randint(2, 8)):
                os.mkdir(full)
                self.dirs.append(path)
                self.decorate(path)
                path = os.path.join(path, self.name())
                full = self.full(path)
                if len(path) > 3000:
                    break
            return
        if kind == "symlink":
            os.symlink(self.target(path), full)
        elif kind == "fifo":
            os.mkfifo(full)
        elif kind == "device":
            device = os.makedev(*rng.choice(self.devices))
            mode = rng.choice([stat.S_IFCHR, stat.S_IFBLK])
            if self.visible and device != os.makedev(1, 3):
                mode = stat.S_IFBLK
            os.mknod(full, mode | 0o600, device)
        elif kind == "sparse":
            with open(full, "wb") as file:
                file.truncate(rng.choice([1, 4096, 100000, 300001]))
                for _ in range(rng.randint(0, 6)):
                    file.seek(rng.randrange(300000))
                    file.write(rng.randbytes(rng.choice([1, 500, 5000])))
        else:
            with open(full, "wb") as file:
                file.write(rng.randbytes(rng.choice(SIZES)))
        self.files.append(path)
        self.decorate(path)

    def decorate(self, path):
        """Give a path a random owner, mode, attributes."""
        rng = self.rng
        full = self.full(path)
        if rng.random() < 0.4:
            os.chown(
                full, rng.choice(self.numbers), rng.choice(self.numbers), follow_symlinks=False
            )
        status = os.lstat(full)
        if stat.S_ISLNK(status.st_mode):
            return
        if rng.random() < 0.5:
            os.chmod(full, rng.choice([0, 0o644, 0o755, 0o1777, 0o4755, 0o6711, rng.randrange(0o10000)]))
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            if rng.random() < 0.15:
                os.setxattr(full, "user.random", rng.randbytes(rng.choice([1, 2, 100])))
            if rng.random() < 0.05:
                os.setxattr(full, "trusted.x", b"=\n\0")
        if stat.S_ISREG(status.st_mode) and rng.random() < 0.08:
            os.setxattr(full, "security.capability", CAPABILITY)

    def stamp(self):
        """Give every path a random time."""
        for path in [*self.files, *reversed(self.dirs)]:
            time = self.rng.choice(self.times) * 10**9
            if self.rng.random() < 0.4:
                time += self.rng.choice([500000000, 250000000])
            elif abs(time) > 10**9:
                # Python writes 1e-09, which is no time to other readers.
                time += self.rng.choice([0, 1, 999])
            os.utime(self.full(path), ns=(time, time), follow_symlinks=False)

    def make(self):
        os.mkdir(self.top)
        if self.rng.random() < 0.5:
            self.decorate(b"")
        # Something that every format can hold.
        with open(self.full(b"plain"), "w") as file:
            file.write("plain")
        self.files.append(b"plain")
        for _ in range(self.rng.randint(2, 18)):
            self.add()
        self.stamp()


def gnu_options(rng, writer):
    """Return random options of GNU tar that go with a format."""
    options = [f"--blocking-factor={rng.choice([1, 2, 20, 64])}"]
    if writer == "gnu":
        options.append(f"--format={rng.choice(['gnu', 'oldgnu'])}")
        if rng.random() < 0.4:
            options.append("--sparse")
    else:
        options.append(f"--format={writer}")
    if writer == "pax":
        if rng.random() < 0.6:
            options += ["--sparse", f"--sparse-version={rng.choice(['0.0', '0.1', '1.0'])}"]
        if rng.random() < 0.6:
            options += ["--xattrs", "--xattrs-include=*", "--acls"]
        if rng.random() < 0.2:
            options.append("--pax-option=comment=hello,GLOBAL.word=x")
    if rng.random() < 0.3:
        options.append("--sort=name")
    if rng.random() < 0.3:
        options.append("--numeric-owner")
    return options


def call(*command):
    """Run a writer. It may complain of what its format cannot hold."""
    subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def archive(rng, writer, top, path, form=None):
    """Tar a tree with a program, with random options."""
    operands = [b"."]
    names = os.listdir(top)
    if names and rng.random() < 0.4:
        rng.shuffle(names)
        operands = [os.fsencode(name) for name in names]
    if writer == "bsdtar":
        options = [f"--format={form or rng.choice(['pax', 'paxr', 'gnutar', 'ustar'])}"]
        # It cuts names of sparse files short that are not UTF-8.
        if form or rng.random() < 0.5:
            options.append("--no-read-sparse")
        call("bsdtar", "-C", top, *options, "-cf", path, "--", *operands)
    elif writer == "python":
        form = tarfile.PAX_FORMAT if form or rng.random() < 0.5 else tarfile.GNU_FORMAT
        with tarfile.open(
            path, "w", format=form, encoding="utf-8", errors="surrogateescape"
        ) as tar:
            for operand in operands:
                name = os.fsdecode(operand)
                tar.add(os.path.join(top, name), name)
    else:
        options = gnu_options(rng, writer)
        if rng.random() < 0.2:
            # Absolute names.
            options += ["--absolute-names", "--transform=flags=rh;s,^\\./,/,"]
        call("tar", "-C", top, *options, "-cf", path, "--", *operands)
        if operands == [b"."] and rng.random() < 0.25:
            # Repeated paths, some with other contents.
            for name in names:
                full = os.path.join(top, name)
                if os.path.isfile(full) and not os.path.islink(full):
                    with open(full, "ab" if rng.random() < 0.5 else "wb") as file:
                        file.write(b"changed")
            some = [b"./" + os.fsencode(n) for n in names if rng.random() < 0.6]
            if some:
                call("tar", "-C", top, *options, "-rf", path, "--no-recursion", "--", *some)


def reshape(rng, folder, number, kind):
    """Give a tar another end, or put a second one after it."""
    path = f"{folder}/{number}.tar"
    if kind == "same":
        return
    with open(path, "rb") as file:
        data = file.read()
    if kind == "several":
        top = f"{folder}/more"
        writer = rng.choice(WRITERS)
        Maker(rng, top, writer, True).make()
        archive(rng, writer, top, f"{folder}/more.tar")
        with open(f"{folder}/more.tar", "rb") as file:
            data += file.read()
        shutil.rmtree(top)
        os.remove(f"{folder}/more.tar")
        open(f"{folder}/{number}.several", "w").close()
    else:
        listing = subprocess.run(["tar", "-tRf", path], capture_output=True, env={"LC_ALL": "C"})
        end = re.search(rb"\nblock (\d+): \*\* Block of NULs \*\*\n$", listing.stdout)
        if not end:
            return
        data = data[: int(end[1]) * 512]
        data += {"none": b"", "one": bytes(512), "junk": bytes(1024) + b"j" * 700}[kind]
    with open(path, "wb") as file:
        file.write(data)


def contents(path, several):
    """Return a tar's paths, and of each of its entries whether it is a directory."""
    kinds = {}
    with tarfile.open(
        path, encoding="utf-8", errors="surrogateescape", ignore_zeros=several
    ) as tar:
        for entry in tar:
            kinds.setdefault(tree.clean(entry.name), []).append(entry.isdir())
    return kinds


def make(folder, seed, first, count, visible):
    os.makedirs(f"{folder}/trees", exist_ok=True)
    os.umask(0)
    for number in range(first, first + count):
        rng = random.Random(f"{seed}/{number}")
        top = f"{folder}/trees/{number}"
        writer = WRITERS[number % len(WRITERS)]
        kind = rng.choice(["none", "one", "junk", "several"] + ["same"] * 8)
        Maker(rng, top, writer, kind == "several", visible).make()
        archive(rng, writer, top, f"{folder}/{number}.tar")
        reshape(rng, folder, number, kind)


def batch(folder, writer, out):
    archive(random.Random(0), writer, f"{folder}/trees", out, "pax")


EXTRACT = [
    "tar", "--extract", "--force-local", "--numeric-owner", "--same-owner",
    "--same-permissions", "--delay-directory-restore", "--acls", "--xattrs",
    "--xattrs-include=*", "--warning=no-timestamp", "--warning=no-unknown-keyword",
]


def extract(path, into, *more):
    """Extract a tar with GNU tar; return what it complained of."""
    os.mkdir(into)
    done = subprocess.run(
        [*EXTRACT, f"--file={path}", f"--directory={into}", *more],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )
    said = done.stderr.decode(errors="replace").splitlines()
    return [line for line in said if "Removing leading" not in line]


def options(**given):
    """Return options of tree.py's listing."""
    names = dict(
        ignore=[], bare=set(), ignore_mtime=[], no_mtime_of_dirs=False, no_ns=False,
        no_negative_mtime=False, no_xattr=[], xattrs_of_files_only=False,
        no_capability_of_links=False, no_links_of_symlinks=False, no_char_devices=False,
    )
    return argparse.Namespace(**{**names, **given})


def differences(one, two, names):
    """Yield the lines in which two listings differ."""
    for line in sorted(one - two):
        yield f"{names[0]}: {line}"
    for line in sorted(two - one):
        yield f"{names[1]}: {line}"


def compare_one(folder, number):
    """Yield what differs between a tar and the archive made of it."""
    tar, isoc = f"{folder}/{number}.tar", f"{folder}/{number}.isoc"
    facts = json.load(open(f"{folder}/{number}.json"))
    work = f"{folder}/work"
    os.mkdir(work)
    try:
        several = os.path.exists(f"{folder}/{number}.several")
        before = extract(tar, f"{work}/in", *["--ignore-zeros"] * several)
        paths = contents(tar, several)
        if "refused" in facts:
            # Some writers write wrong archives where a format lacks room.
            doubled = any(len(set(kinds)) > 1 for kinds in paths.values())
            if not before and not doubled and os.listdir(f"{work}/in"):
                yield facts["refused"]
            return
        after = extract(isoc, f"{work}/out")
        if after and not before:
            yield f"GNU tar: {after[0]}"
        # Directories without an entry have the time at which they are made.
        unlisted = {os.path.dirname(path) for path in paths}
        for path in [*unlisted]:
            while path := os.path.dirname(path):
                unlisted.add(path)
        unlisted -= paths.keys()
        # Of a directory that comes again, GNU tar restores the first entry last.
        again = {path for path, kinds in paths.items() if len(kinds) > 1 and kinds[0]}
        given = dict(ignore_mtime=unlisted, bare=again | ({b"."} - paths.keys()))
        own = [b"json", b"VERSION", b"layer.tar"]
        free = not any(os.path.lexists(os.path.join(os.fsencode(work), b"in", n)) for n in own)
        ignore = own if free else []
        expected = options(**given, ignore=ignore, no_links_of_symlinks=True)
        yield from differences(
            set(tree.listing(f"{work}/in".encode(), expected)),
            set(tree.listing(f"{work}/out/rootfs".encode(), expected)),
            ["input", "rootfs"],
        )
        if facts["changed"]:
            said = extract(f"{work}/out/{facts['layer']}", f"{work}/layer")
            if said and not before:
                yield f"GNU tar, layer: {said[0]}"
            # GNU tar leaves a symlink alone that comes again with the same target.
            expected = options(**given, no_links_of_symlinks=facts["repeated"])
            yield from differences(
                set(tree.listing(f"{work}/in".encode(), expected)),
                set(tree.listing(f"{work}/layer".encode(), expected)),
                ["input", "layer"],
            )
    finally:
        shutil.rmtree(work)


def compare(folder, first, count):
    for number in range(first, first + count):
        for line in compare_one(folder, number):
            print(f"tree {number} ({WRITERS[number % len(WRITERS)]}): {line}")


def main():
    command, folder, *rest = sys.argv[1:]
    if command == "make":
        seed, first, count, *visible = rest
        make(folder, seed, int(first), int(count), visible == ["--visible"])
    elif command == "batch":
        batch(folder, *rest)
    else:
        compare(folder, *map(int, rest))


if __name__ == "__main__":
    main()
