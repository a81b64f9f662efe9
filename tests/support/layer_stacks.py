#!/usr/bin/env python3
"""Make random stacks of image layers, and check what became of them.

"make" writes DIR/N/1.tar, 2.tar, ... lowest layer first, for N from 0.
"check" applies each stack as the OCI image specification says (layer.md,
"Applying Changesets"), with a model of its own that knows nothing of ciso, and
compares that with what is below rootfs/ in DIR/N/image.isoc. Where the
stack makes no sense, such as a file below a file, there has to be a message in
DIR/N/refused instead. It prints one line for each difference, and a summary.
"""

import argparse
import io
import os
import random
import sys
import tarfile

OPEN = {"encoding": "utf-8", "errors": "surrogateescape"}
# What a directory without an entry of its own is like, in an image of 1970.
IMPLIED = (0o755, 0, 0, 0)
PREFIX, OPAQUE = ".wh.", ".wh..wh..opq"
NAMES = ["a", "b", "c", "d", "caf\udce9", "b" * 101, "日本"]


class Refused(Exception):
    """A layer that no two engines take alike."""


class Blocked(Refused):
    """A path below a file that the same layer has made."""


class Node:
    """A file of any kind. Hard links share one."""

    def __init__(self, kind, meta, content=""):
        self.kind, self.meta, self.content = kind, meta, content
        self.children = {} if kind == "dir" else None
        self.layer = None
        # The newest layer that has more in it than deletions.
        self.full = None


def parts_of(path):
    return [part for part in path.split("/") if part not in ("", ".")]


class Tree:
    """A root file system to which layers are applied."""

    def __init__(self):
        self.root = Node("dir", IMPLIED)
        self.layer = 0
        self.entries = 0

    def directory(self, parts, make, full=True):
        """Return the directory at a path; missing ones are made, links followed."""
        above, node, pending, hops = [], self.root, list(parts), 0
        while pending:
            part = pending.pop(0)
            if part == "..":
                node = above.pop() if above else self.root
                continue
            child = node.children.get(part)
            if child is None:
                if not make:
                    raise Refused(f"no {part}")
                child = Node("dir", IMPLIED)
                child.layer = self.layer
                node.children[part] = child
            if child.kind == "symlink":
                hops += 1
                if hops > 40:
                    raise Refused("a loop")
                if child.content.startswith("/"):
                    above, node = [], self.root
                pending = parts_of(child.content) + pending
                continue
            if child.kind != "dir":
                if hops == 0 and child.layer == self.layer:
                    raise Blocked(f"{part} is no directory")
                raise Refused(f"{part} is no directory")
            above.append(node)
            node = child
        if make:
            for one in [*above, node]:
                one.layer = self.layer
                if full:
                    one.full = self.layer
        return node

    def erase(self, folder, name):
        """Delete what lower layers have at a path."""
        node = folder.children.get(name)
        if node is None:
            return
        if node.kind == "dir":
            self.clear(node)
        if node.layer != self.layer:
            del folder.children[name]
        elif node.kind == "dir":
            # A deletion below it came first; its own entry is still to come.
            node.meta = IMPLIED

    def clear(self, folder):
        """Delete what lower layers have in a directory."""
        for name in list(folder.children):
            self.erase(folder, name)

    def apply(self, path):
        """Apply a layer, a tar."""
        self.begin()
        with tarfile.open(path, **OPEN) as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isreg() else None
                self.add(entry, file.read() if file else b"")

    def begin(self):
        self.layer += 1
        self.lower = self.entries

    def add(self, entry, data):
        """Apply the next entry of a layer."""
        self.entries += 1
        *above, name = parts_of(entry.name)
        try:
            folder = self.directory(above, True, not name.startswith(PREFIX))
        except Blocked:
            if name.startswith(PREFIX):
                # Nothing is left there that it could delete.
                return
            raise
        if name == OPAQUE:
            if folder is self.root and self.lower > 0:
                raise Refused("an opaque root")
            self.clear(folder)
        elif name.startswith(PREFIX):
            self.erase(folder, name[len(PREFIX) :])
        else:
            self.put(folder, name, entry, data)

    def has_new_link(self, path):
        """Tell whether the newest layer has a symlink at a path."""
        *above, name = parts_of(path)
        try:
            node = self.directory(above, make=False).children.get(name)
        except Refused:
            return False
        return node and node.kind == "symlink" and node.layer == self.layer

    def put(self, folder, name, entry, data):
        old = folder.children.get(name)
        if entry.islnk():
            *above, last = parts_of(entry.linkname)
            node = self.directory(above, make=False).children.get(last)
            if node is None or node.layer != self.layer or node.kind == "dir":
                raise Refused("a hard link to what this layer does not have")
            if node is old:
                return
        elif entry.isdir():
            node = Node("dir", meta_of(entry))
        elif entry.issym():
            node = Node("symlink", meta_of(entry), entry.linkname)
        elif entry.isfifo():
            node = Node("fifo", meta_of(entry))
        else:
            node = Node("file", meta_of(entry), data.decode())
        if old is not None and old.layer == self.layer and old.kind != "symlink":
            for_deletions = old.kind == "dir" and old.full != self.layer
            if (old.kind == "dir") != (node.kind == "dir") and not for_deletions:
                raise Refused("a directory and something else in one layer")
        if old is not None and old.kind == node.kind == "dir":
            old.meta = node.meta
            node = old
        node.layer = node.full = self.layer
        folder.children[name] = node


def meta_of(entry):
    return (entry.mode & 0o7777, entry.uid, entry.gid, entry.mtime)


def listing(root):
    """Return the lines of a tree by path; hard links name their first path."""
    lines, first = {}, {}

    def visit(node, path):
        for name in sorted(node.children):
            child = node.children[name]
            at = f"{path}{name}"
            mode, uid, gid, mtime = child.meta
            line = f"{child.kind} {mode:o} {uid}:{gid} {mtime} {child.content!r}"
            # Symbolic links are never one inode in the archive: rkt fails on that.
            if child.kind in ("file", "fifo"):
                same = first.setdefault(id(child), at)
                if same != at:
                    line += f" same as {same!r}"
            lines[at] = line
            if child.kind == "dir":
                visit(child, f"{at}/")

    visit(root, "")
    return lines


def rootfs_of(archive):
    """Read rootfs/ of an archive; no path may come twice, or before its link's."""
    nodes = {"": Node("dir", IMPLIED)}
    with tarfile.open(archive, **OPEN) as tar:
        for entry in tar:
            if not entry.name.startswith("rootfs/"):
                continue
            path = entry.name[len("rootfs/") :].rstrip("/")
            if path in nodes:
                raise ValueError(f"{path!r} comes twice")
            meta = meta_of(entry)
            if entry.islnk():
                nodes[path] = nodes[entry.linkname[len("rootfs/") :]]
                if nodes[path].meta != meta:
                    raise ValueError(f"{path!r} has not its target's metadata")
            elif entry.isdir():
                nodes[path] = Node("dir", meta)
            elif entry.issym():
                nodes[path] = Node("symlink", meta, entry.linkname)
            elif entry.isfifo():
                nodes[path] = Node("fifo", meta)
            else:
                text = tar.extractfile(entry).read().decode()
                nodes[path] = Node("file", meta, text)
    for path, node in nodes.items():
        if path:
            above, _, name = path.rpartition("/")
            if nodes[above].kind != "dir":
                raise ValueError(f"{path!r} lies below no directory")
            nodes[above].children[name] = node
    return nodes[""]


def random_path(rng, most=3):
    names = NAMES[: rng.choice([3, 4, 4, 7])]
    return "/".join(rng.choice(names) for _ in range(rng.randint(1, most)))


def random_layer(rng, tar, lower, tree, most):
    """Write entries that often meet those of lower layers, whiteouts first."""
    files, seen = [], set()
    wild = rng.random() < 0.05
    tree.begin()

    def path(most=3):
        if lower and rng.random() < 0.5:
            one = rng.choice(lower)
            return f"{one}/{rng.choice(NAMES[:4])}" if rng.random() < 0.4 else one
        return random_path(rng, most)

    kinds = [rng.choice("ffffddddllhhwwop") for _ in range(rng.randint(0, most))]
    for kind in sorted(kinds, key=lambda kind: kind not in "wo"):
        entry = tarfile.TarInfo(path())
        entry.mode = rng.choice([0o644, 0o755, 0o755, 0o700, 0o1777, 0o4711])
        entry.uid, entry.gid = rng.choice([(0, 0), (0, 0), (1000, 1001)])
        entry.mtime = rng.randint(1, 10**9)
        data = b""
        if kind == "d":
            entry.type = tarfile.DIRTYPE
        elif kind == "l":
            entry.type = tarfile.SYMTYPE
            target = path(2)
            entry.linkname = rng.choice([target, f"/{target}", f"../{target}"])
        elif kind == "p":
            entry.type = tarfile.FIFOTYPE
        elif kind == "h":
            if not files:
                continue
            other = rng.choice(files)
            entry.type, entry.linkname = tarfile.LNKTYPE, other.name
            for field in ("mode", "uid", "gid", "mtime"):
                setattr(entry, field, getattr(other, field))
        elif kind in "wo":
            above, _, name = entry.name.rpartition("/")
            name = PREFIX + name if kind == "w" else OPAQUE
            entry.name = f"{above}/{name}".lstrip("/")
        else:
            data = f"{entry.name!a} {rng.random()}".encode()
            entry.size = len(data)
        # One path, one entry, as tar writes it; links can still make two meet.
        if entry.name in seen:
            continue
        if kind == "d" and tree.has_new_link(entry.name):
            continue
        try:
            tree.add(entry, data)
        except Refused:
            # Most layers make sense.
            if not wild:
                continue
        seen.add(entry.name)
        if kind in "flp":
            files.append(entry)
        tar.addfile(entry, io.BytesIO(data))
    return sorted(name for name in seen if PREFIX not in name)


def make(folder, seed, count, most):
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        stack = os.path.join(folder, str(number))
        os.mkdir(stack)
        lower, tree = [], Tree()
        for layer in range(1, rng.randint(2, 4) + 1):
            path = os.path.join(stack, f"{layer}.tar")
            kind = rng.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
            with tarfile.open(path, "w", format=kind, **OPEN) as tar:
                lower += random_layer(rng, tar, lower, tree, most)


def compare(stack):
    """Yield what is wrong with one image; return whether it was to be refused."""
    tree, refusal = Tree(), None
    layers = sorted(name for name in os.listdir(stack) if name.endswith(".tar"))
    try:
        for name in layers:
            tree.apply(os.path.join(stack, name))
    except Refused as reason:
        refusal = f"{name}: {reason}"
    message = None
    if os.path.exists(os.path.join(stack, "refused")):
        with open(os.path.join(stack, "refused")) as file:
            message = file.read()
    if refusal or message:
        if not refusal:
            yield f"refused without reason: {message}"
        elif not message:
            yield f"not refused: {refusal}"
        elif not message.startswith(name):
            yield f"refused for another layer: {message}, not {refusal}"
        return True
    try:
        found = listing(rootfs_of(os.path.join(stack, "image.isoc")))
    except (ValueError, KeyError) as error:
        yield f"rootfs/ is no tree: {error}"
        return False
    wanted = listing(tree.root)
    for path in sorted({*wanted, *found}):
        if wanted.get(path) != found.get(path):
            yield f"{path!r}: {found.get(path)} instead of {wanted.get(path)}"
    return False


def check(folder):
    good = refused = 0
    failed = False
    for number in sorted(os.listdir(folder), key=int):
        lines = compare(os.path.join(folder, number))
        while True:
            try:
                print(ascii(f"stack {number}: {next(lines)}")[1:-1])
                failed = True
            except StopIteration as end:
                refused += end.value
                good += not end.value
                break
    print(f"{good} trees, {refused} refused")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    maker = commands.add_parser("make", help="write stacks of layers")
    maker.add_argument("dir", metavar="DIR")
    maker.add_argument("seed", metavar="SEED")
    maker.add_argument("count", metavar="COUNT", type=int)
    maker.add_argument("most", metavar="ENTRIES", type=int, nargs="?", default=20)
    checker = commands.add_parser("check", help="compare with the images")
    checker.add_argument("dir", metavar="DIR")
    options = parser.parse_args()
    if options.command == "make":
        make(options.dir, options.seed, options.count, options.most)
    elif check(options.dir):
        sys.exit(1)


if __name__ == "__main__":
    main()
