import { shown } from "../errors/shown.ts";
import { InputError } from "../errors/input_error.ts";
import { unlessRefused } from "../errors/refusal.ts";
import { ascii, concat, equalBytes, startsWith } from "../streams/bytes.ts";
import { ROOTFS } from "../image/rootfs_prefix.ts";
import { appcManifest } from "../formats/appc.ts";
import { runtimeConfig } from "../formats/bundle.ts";
import { jsonText } from "../formats/json_text.ts";
import { lxdMetadata } from "../formats/lxd.ts";
import { type UserIds, userIdsOrNobody } from "../formats/values/user.ts";
import type { Image } from "../image/image.ts";
import { readLxdMetadata } from "../read/read_lxd.ts";
import { closing } from "../tar/header.ts";
import { normalizePath } from "../tar/path.ts";
import type { Documents } from "./documents.ts";
import { imageOf } from "./image_of.ts";
import type { FaceEntries } from "./face_entries.ts";
import { type Fate, KEEP, moved, type Passing } from "./pass.ts";
import { directoryEntry, fileEntry } from "../tar/small_entries.ts";
import { FaceMissingError } from "./face_missing_error.ts";

const PREFIX = ascii(ROOTFS);
const ROOT = ascii(".");

/** The faces that are documents and rootfs/. */
export type RootfsFaceName = "appc" | "bundle" | "lxd";

/**
 * The documents of each face. rkt's passes as it is: it says nothing of the
 * machine that runs it. Those of a runtime and of LXD do: a foreign one can run
 * a hook or mount the host's files, so they are made anew. Incus runs an image
 * with `config.json` as an application container, whose command it takes from
 * there, and one without as a system with an init of its own; LXD passes over
 * the file.
 */
const DOCUMENTS: Record<RootfsFaceName, string[]> = {
  appc: ["manifest"],
  bundle: ["config.json"],
  lxd: ["metadata.yaml", "config.json"],
};

/** Files that Docker 1.9 and older want, where their face is in rootfs/. */
const V1_FILES = ["rootfs/VERSION", "rootfs/json", "rootfs/layer.tar"];

/** Account files larger than this are not read, in bytes. */
const MAX_ACCOUNTS = 1 << 20;

/** The entries below rootfs/ that belong to the root file system. */
class RootfsEntries {
  readonly #documents: Documents;
  readonly #hasV1: boolean;
  /** Whether rootfs/ has come, as an entry or as a directory of one. */
  found = false;

  constructor(documents: Documents) {
    this.#documents = documents;
    this.#hasV1 = documents.v1?.place === ROOTFS;
  }

  /**
   * Whether an entry belongs to it.
   *
   * @throws {InputError} If it cannot be in a root file system.
   */
  take(path: string, { path: bytes, entry }: Passing): boolean {
    if (path === "rootfs") {
      if (entry.kind !== "directory") {
        throw new InputError("rootfs is no directory");
      }
      return true;
    }
    if (!startsWith(bytes, PREFIX) || entry.kind === "label") return false;
    if (this.#hasV1 && V1_FILES.includes(path)) return false;
    if (entry.kind === "hardlink") linkTarget(entry.link, entry.path);
    return true;
  }

  /** @throws {InputError} If it is not complete. */
  end(): void {
    if (!this.found) {
      throw new FaceMissingError(
        "The archive has no rootfs/; ciso convert makes an isoc of it that does",
      );
    }
    if (this.#hasV1 && this.#documents.v1?.place !== ROOTFS) {
      throw new FaceMissingError(
        "The face for Docker 1.9 comes after rootfs/: too late to " +
          "know whose rootfs/json is; ciso convert puts the archive in order",
      );
    }
  }
}

/** Where in rootfs/ a hard link leads to. */
function linkTarget(link: Uint8Array, path: Uint8Array): Uint8Array {
  const target = unlessRefused(() => normalizePath(link));
  if (target && startsWith(target, PREFIX)) return target.slice();
  throw new InputError(
    `Entry ${shown(path)}: the hard link leads out of rootfs/, to ${
      shown(link)
    }`,
  );
}

/**
 * Readers take a hard link's target as it is written: `./rootfs/x` leads
 * nowhere.
 */
function withPlainLink(passing: Passing): Fate {
  const { entry, path } = passing;
  if (entry.kind !== "hardlink") return KEEP;
  const target = linkTarget(entry.link, entry.path);
  if (equalBytes(target, entry.link)) return KEEP;
  return { header: moved(passing, path, target), data: "none" };
}

/** The faces that take their files from rootfs/: `appc`, `bundle` and `lxd`. */
export class RootfsFace implements FaceEntries {
  readonly #documents: Documents;
  readonly #face: RootfsFaceName;
  readonly #entries: RootfsEntries;
  /** Documents that the archive has. */
  readonly #found = new Set<string>();
  /** Account files of the rootfs, for documents that are to be made. */
  readonly #accounts = new Map<string, string>();
  #usesTmp = false;

  constructor(documents: Documents, face: RootfsFaceName) {
    this.#documents = documents;
    this.#face = face;
    this.#entries = new RootfsEntries(documents);
  }

  take(path: string, passing: Passing): Fate | undefined {
    if (DOCUMENTS[this.#face].includes(path)) {
      this.#found.add(path);
      return this.#face === "appc" ? KEEP : undefined;
    }
    if (!this.#entries.take(path, passing)) return undefined;
    if (path.startsWith("rootfs/tmp/")) this.#usesTmp = true;
    const fate = this.#readAccounts(path, passing) ?? withPlainLink(passing);
    if (this.#entries.found) return fate;
    this.#entries.found = true;
    if (path === "rootfs") return fate;
    const before = directoryEntry(ROOTFS, this.#documents.mtime ?? 0);
    return { ...fate, before };
  }

  end(): Uint8Array[] {
    this.#entries.end();
    const mtime = this.#documents.mtime ?? 0;
    return [
      ...this.#made().map((path) =>
        fileEntry(path, this.#document(path), mtime)
      ),
      closing(),
    ];
  }

  /** The documents that are to be made. */
  #made(): string[] {
    const all = DOCUMENTS[this.#face];
    if (this.#face === "appc") {
      return all.filter((path) => !this.#found.has(path));
    }
    // An archive without config.json gets none for Incus.
    return this.#isSystem() ? ["metadata.yaml"] : all;
  }

  /** Whether Incus takes it for a system with an init of its own. */
  #isSystem(): boolean {
    return this.#face === "lxd" && this.#found.has("metadata.yaml") &&
      !this.#found.has("config.json");
  }

  #readAccounts(path: string, { entry }: Passing): Fate | undefined {
    if (path !== "rootfs/etc/passwd" && path !== "rootfs/etc/group") {
      return undefined;
    }
    if (entry.kind !== "file" || entry.size > MAX_ACCOUNTS) return undefined;
    const parts: Uint8Array[] = [];
    return {
      ...KEEP,
      onData: (bytes) => void parts.push(bytes.slice()),
      onEnd: () => {
        this.#accounts.set(path, new TextDecoder().decode(concat(parts)));
      },
    };
  }

  #document(path: string): string {
    if (path === "metadata.yaml") return this.#metadata();
    const image = imageOf(this.#documents);
    const ids = this.#userIds(image);
    if (path === "manifest") return jsonText(appcManifest(image, { ids }));
    return jsonText(runtimeConfig(image, { ids, tmp: !this.#usesTmp }));
  }

  #metadata(): string {
    const { config, v1, texts } = this.#documents;
    const given = texts.get("metadata.yaml");
    const hasImage = config !== undefined || v1 !== undefined ||
      texts.has("manifest") || texts.has("config.json");
    if (!hasImage && given !== undefined) {
      return jsonText(readLxdMetadata(given));
    }
    const application = !this.#isSystem();
    return jsonText(lxdMetadata(imageOf(this.#documents), { application }));
  }

  #userIds({ user }: Image): UserIds {
    const text = (name: string) => this.#accounts.get(`rootfs/etc/${name}`);
    return userIdsOrNobody(user, text("passwd"), text("group")).ids;
  }
}

/** The root file system of an archive with several layers, as one tar. */
export class FlatFace implements FaceEntries {
  readonly #entries: RootfsEntries;

  constructor(documents: Documents) {
    this.#entries = new RootfsEntries(documents);
  }

  take(path: string, passing: Passing): Fate | undefined {
    if (!this.#entries.take(path, passing)) return undefined;
    this.#entries.found = true;
    const { entry } = passing;
    const inside = path === "rootfs" ? ROOT : passing.path.slice(PREFIX.length);
    const link = entry.kind === "hardlink"
      ? linkTarget(entry.link, entry.path).slice(PREFIX.length)
      : undefined;
    return { header: moved(passing, inside, link), data: "padded" };
  }

  end(): Uint8Array[] {
    this.#entries.end();
    return [closing()];
  }
}
