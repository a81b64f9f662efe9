import { shown } from "../errors/shown.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { equalBytes, isUtf8 } from "../streams/bytes.ts";
import type { Entry } from "../tar/entry.ts";
import { components, normalizePath } from "../tar/path.ts";
import { deviceOf, extraOf, factsSum, nodeOf } from "./entry_facts.ts";
import {
  EntryTable,
  FLAG,
  isDirectory,
  NODE,
  type Node,
  type Row,
} from "./entry_table.ts";
import type { Findings } from "./finding.ts";
import type { PathHash } from "../streams/path_hash.ts";
import { OwnSymlinks } from "./own_symlinks.ts";
import { checkForm, checkTime } from "./entry_form.ts";
import { TreeFindings, type TreeKind } from "./tree_findings.ts";
import type { Found } from "./walk_tar.ts";

const EMPTY = new Uint8Array(0);
const SLASH = 0x2f;

/** The tree that a tar's entries make, checked as they come. */
export class CheckedTree {
  readonly table = new EntryTable();
  readonly kind: TreeKind;
  readonly findings: TreeFindings;
  /** Devices that rkt must not see: path and slot. */
  readonly endless: { path: string; slot: number }[] = [];
  readonly #hash: PathHash;
  readonly #symlinks: OwnSymlinks;
  /** The last directory whose parents are all directories. */
  #parent: Uint8Array = EMPTY;

  /**
   * @param where What messages add to an entry, such as " in layer 1".
   */
  constructor(
    kind: TreeKind,
    hash: PathHash,
    findings: Findings,
    where = "",
  ) {
    this.kind = kind;
    this.#hash = hash;
    this.findings = new TreeFindings(kind, findings, where);
    this.#symlinks = new OwnSymlinks(this.table, hash);
  }

  /** Where engines put what has a path in a layer. */
  led(path: Uint8Array): Uint8Array {
    const cut = path.lastIndexOf(SLASH);
    if (cut <= 0 || equalBytes(path.subarray(0, cut), this.#parent)) {
      return path;
    }
    return this.#symlinks.led(path);
  }

  /**
   * Takes an entry.
   *
   * @param path Its normalized path in this tree, in a layer as
   * {@linkcode led} has it; empty for the root.
   * @returns Its slot, or -1 if it has none.
   */
  take(found: Found, path: Uint8Array): number {
    const { entry, bytes } = found;
    if (entry.kind === "label" || !checkForm(entry, path, this.findings)) {
      return -1;
    }
    if (path.length === 0) {
      if (entry.kind !== "directory") {
        this.findings.add("parent-file", path, "the root is no directory");
        return -1;
      }
    } else this.#checkParents(path);
    const node = nodeOf(entry);
    const slot = this.#put(found, path, node);
    if (entry.kind === "hardlink") this.#checkLink(found, path, slot);
    else if (node === NODE.device) this.#checkDevice(bytes, entry, path, slot);
    else if (node === NODE.symlink) this.#checkSymlink(entry, path, slot);
    checkTime(found, path, this.findings);
    return slot;
  }

  /** Hashes a path; the hash can be looked up until the next one is made. */
  find(path: Uint8Array, length = path.length): number {
    this.#hash.of(path, length);
    return this.table.find(this.#hash.low, this.#hash.high);
  }

  #put(found: Found, path: Uint8Array, node: Node): number {
    const { entry, bytes, globals } = found;
    const hash = this.#hash;
    const extra = node === NODE.file ? 0 : hash.text(extraOf(bytes, entry));
    const row: Row = {
      node,
      place: found.place,
      data: found.data,
      size: entry.kind === "hardlink" ? 0 : entry.size,
      facts: factsSum(hash, bytes, entry, globals),
      extra,
    };
    const old = this.find(path);
    if (old >= 0) {
      if (this.table.node(old) === NODE.missing) {
        if (node === NODE.directory) {
          this.table.set(old, row);
          return old;
        }
        this.findings.add(
          "parent-file",
          path,
          "it is a directory and something else",
        );
      } else if (path.length > 0) {
        this.findings.add(
          "path-repeated",
          path,
          "another entry has the same path",
        );
      }
    }
    this.#hash.of(path);
    const slot = this.table.add(hash.low, hash.high, row);
    if (entry.sparse) this.table.mark(slot, FLAG.sparse);
    if (this.kind === "rootfs" && !isUtf8(path)) {
      this.table.mark(slot, FLAG.unnameable);
      this.findings.once("name-not-utf8", path, "its path is not UTF-8");
    }
    return slot;
  }

  /** Checks that all directories above a path are directories. */
  #checkParents(path: Uint8Array): void {
    const cut = path.lastIndexOf(SLASH);
    if (cut <= 0) return;
    const parent = path.subarray(0, cut);
    if (equalBytes(parent, this.#parent)) return;
    const hash = this.#hash;
    hash.start();
    let from = 0;
    for (let i = 0; i <= cut; i++) {
      if (i < cut && path[i] !== SLASH) continue;
      hash.take(path, from, i);
      from = i;
      const slot = this.table.find(hash.low, hash.high);
      if (slot < 0) {
        this.table.add(hash.low, hash.high, IMPLIED);
        if (this.kind === "rootfs") {
          this.findings.add(
            "parent-missing",
            path.subarray(0, i),
            "it has no entry",
          );
        }
      } else if (!isDirectory(this.table.node(slot))) {
        const above = shown(path.subarray(0, i));
        this.table.node(slot) === NODE.symlink
          ? this.findings.add("parent-symlink", path, `${above} is a symlink`)
          : this.findings.add("parent-file", path, `${above} is no directory`);
        return;
      }
    }
    this.#parent = parent.slice();
  }

  #checkLink(found: Found, path: Uint8Array, slot: number): void {
    const { entry } = found;
    const wanted = this.#target(entry);
    const target = wanted ? this.find(wanted) : -1;
    const to = shown(entry.link);
    if (target < 0 || target === slot) {
      return this.findings.add(
        "hard-link-target",
        path,
        `it is a hard link to ${to}, which is not before it` +
          (this.kind === "rootfs" ? " below rootfs/" : " in the same tar"),
      );
    }
    const root = this.table.root(target);
    const node = this.table.node(root);
    if (isDirectory(node)) {
      return this.findings.add(
        "hard-link-target",
        path,
        `it is a hard link to the directory ${to}`,
      );
    }
    this.table.link(slot, root);
    if (node === NODE.symlink && this.kind === "rootfs") {
      this.findings.add(
        "hard-link-symlink",
        path,
        `it is a hard link to the symlink ${to}`,
      );
    }
    if (this.table.facts(root) !== this.table.facts(slot)) {
      this.findings.add(
        "hard-link-metadata",
        path,
        `its mode, owner, time or attributes are not those of ${to}`,
      );
    }
  }

  /** The path in this tree that a hard link leads to. */
  #target(entry: Entry): Uint8Array | undefined {
    const path = unlessRefused(() => normalizePath(entry.link));
    if (!path) return undefined;
    if (this.kind === "layer") return this.led(path);
    if (this.kind !== "rootfs") return path;
    // rkt compares the names as they are.
    return startsAtRootfs(entry.link) ? path.subarray(7) : undefined;
  }

  #checkSymlink(entry: Entry, path: Uint8Array, slot: number): void {
    if (entry.link.length === 0) {
      this.findings.add("symlink-empty", path, "it has no target");
    }
    if (this.kind === "layer") return this.#symlinks.add(slot, entry.link);
    let depth = [...components(path)].length - (this.kind === "rootfs" ? 0 : 1);
    for (const part of components(entry.link)) {
      const isUp = part.length === 2 && part[0] === 0x2e && part[1] === 0x2e;
      depth += isUp ? -1 : 1;
      if (depth < 0) {
        return this.findings.once(
          "symlink-climbs",
          path,
          `it leads to ${shown(entry.link)}`,
        );
      }
    }
  }

  #checkDevice(
    bytes: Uint8Array,
    entry: Entry,
    path: Uint8Array,
    slot: number,
  ): void {
    if (this.kind === "archive") {
      return this.findings.once("device-rootless", path, "it is a device");
    }
    if (this.kind === "rootfs") {
      this.findings.once("device-rootless", path, "it is a device");
    }
    if (entry.flag !== 0x33) return;
    const [major, minor] = deviceOf(bytes, entry);
    if (major === 0 && minor === 0) {
      this.findings.add(
        "whiteout-device",
        path,
        "it is the character device 0:0",
      );
    }
    if (this.kind === "rootfs" && (major !== 1 || minor !== 3)) {
      this.table.mark(slot, FLAG.endless);
      this.endless.push({ path: new TextDecoder().decode(path), slot });
    }
  }
}

const IMPLIED: Row = {
  node: NODE.missing,
  place: 0,
  data: 0,
  size: 0,
  facts: 0,
  extra: 0,
};

const ROOTFS = new TextEncoder().encode("rootfs/");

function startsAtRootfs(path: Uint8Array): boolean {
  return ROOTFS.every((byte, i) => path[i] === byte);
}
