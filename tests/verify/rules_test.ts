import assert from "node:assert/strict";
import { RULE_NAMES, type RuleName } from "../../lib/verify/rules.ts";
import { ascii, concat, utf8 } from "../../lib/streams/bytes.ts";
import { FIELD, putNumber } from "../../lib/tar/block.ts";
import { skipHeader } from "../../lib/tar/skip_header.ts";
import {
  blobsOf,
  editJson,
  hexOf,
  isocOf,
  joined,
  newPart,
  type Part,
  part,
  partsOf,
  patchHeader,
  replaceFile,
  setData,
  setLink,
  setPath,
  TREE,
} from "../support/isoc_parts.ts";
import { paxHeader, type TarEntry, tarOf } from "../support/tar_writer.ts";
import { findingLines, verify } from "../support/verify.ts";

/** An archive that breaks a rule, made of an isoc that breaks none. */
type Breaker = (
  parts: Part[],
) => Uint8Array | void | Promise<Uint8Array | void>;

/** Puts a part after another one. */
function insertAfter(parts: Part[], path: string, ...entries: TarEntry[]) {
  const at = parts.indexOf(part(parts, path)) + 1;
  parts.splice(at, 0, ...entries.map(newPart));
}

function remove(parts: Part[], path: string) {
  parts.splice(parts.indexOf(part(parts, path)), 1);
}

/** Puts the same entries into the layer and below rootfs/. */
function inBoth(parts: Part[], ...entries: TarEntry[]) {
  inLayer(parts, ...entries);
  const last = part(parts, "rootfs/etc/passwd");
  insertAfter(
    parts,
    last.path,
    ...entries.map((entry) => ({
      ...entry,
      name: `rootfs/${entry.name}`,
      ...(entry.type === "1" && { link: `rootfs/${entry.link}` }),
    })),
  );
}

function inLayer(parts: Part[], ...entries: TarEntry[]) {
  const { layer } = blobsOf(parts);
  replaceFile(parts, layer, tarOf([...TREE, ...entries]));
}

const setMode = (parts: Part[], path: string, mode: number) =>
  patchHeader(
    part(parts, path),
    (block) => putNumber(block, FIELD.mode, mode),
  );

/** Adds a blob; gives what a descriptor says of it. */
function addBlob(parts: Part[], document: object) {
  const data = utf8(JSON.stringify(document));
  const digest = hexOf(data);
  insertAfter(parts, "blobs/sha256/", {
    name: `blobs/sha256/${digest}`,
    data: new TextDecoder().decode(data),
  });
  return { digest: `sha256:${digest}`, size: data.length };
}

const INDEX = "application/vnd.oci.image.index.v1+json";

/** Has index.json lead to the image by way of an image index. */
function innerIndex(
  parts: Part[],
  listed: (own: Descriptor) => object[] = (own) => [own],
) {
  editJson(parts, "index.json", (index) => {
    for (const top of index.manifests) {
      const { annotations, ...own } = top;
      const inner = {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: listed(own),
      };
      for (const key of Object.keys(top)) delete top[key];
      Object.assign(top, {
        mediaType: INDEX,
        annotations,
        ...addBlob(parts, inner),
      });
    }
  });
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform: object;
}

/** The image's manifest once more, but for an annotation. */
function otherManifest(parts: Part[], own: Descriptor): Descriptor {
  const path = `blobs/${own.digest.replace(":", "/")}`;
  const manifest = JSON.parse(
    new TextDecoder().decode(part(parts, path).data),
  );
  const blob = addBlob(parts, { ...manifest, annotations: { other: "1" } });
  return { ...own, ...blob };
}

/** For each rule an archive that breaks it and no other. */
const BREAKERS: Record<RuleName, Breaker> = {
  "tar-header": (parts) => {
    part(parts, "rootfs/etc/issue").header[20]! ^= 1;
  },
  "tar-truncated": (parts) => joined(parts).slice(0, -5000),
  "closing-blocks": (parts) => joined(parts, new Uint8Array(512)),
  "global-header": (parts) => {
    const { layer } = blobsOf(parts);
    const global = paxHeader([["comment", "a commit"]], "g");
    replaceFile(parts, layer, concat([global, tarOf(TREE)]));
  },
  "several-archives": (parts) =>
    concat([joined(parts), tarOf([{ name: "more", data: "x" }])]),
  "after-end": (parts) => concat([joined(parts), ascii("junk".repeat(200))]),
  "layer-after-end": (parts) => {
    const { layer } = blobsOf(parts);
    replaceFile(parts, layer, concat([tarOf(TREE), ascii("junk".repeat(200))]));
  },
  "path-repeated": (parts) =>
    insertAfter(parts, "rootfs/etc/issue", {
      name: "rootfs/etc/issue",
      data: "hello\n",
    }),
  "path-climbs": (parts) =>
    insertAfter(parts, "rootfs/etc/issue", { name: "rootfs/../../x" }),
  "path-absolute": (parts) =>
    setPath(part(parts, "repositories"), "/repositories"),
  "path-length": (parts) =>
    insertAfter(parts, "rootfs/etc/issue", {
      name: "x",
      pax: [["path", `rootfs/${"n".repeat(256)}`]],
    }),
  "entry-type": (parts) =>
    patchHeader(part(parts, "rootfs/etc/issue"), (block) => {
      block[156] = 0x37;
    }),
  "sparse-entry": (parts) =>
    insertAfter(parts, "manifest", {
      name: "sparse",
      data: "x",
      pax: [
        ["GNU.sparse.size", "4"],
        ["GNU.sparse.numblocks", "1"],
        ["GNU.sparse.map", "3,1"],
      ],
    }),
  "header-v7": (parts) =>
    patchHeader(part(parts, "rootfs/etc/issue"), (block) => {
      block.fill(0, 257, 265);
      block.fill(0, 345, 500);
    }),
  "parent-symlink": (parts) =>
    inBoth(
      parts,
      { name: "lib", type: "2", link: "nowhere" },
      { name: "lib/x", data: "x" },
    ),
  "parent-file": (parts) => inBoth(parts, { name: "etc/issue/x", data: "x" }),
  "parent-missing": (parts) => inBoth(parts, { name: "opt/x", data: "x" }),
  "hard-link-target": (parts) =>
    inBoth(parts, { name: "x", type: "1", link: "nowhere" }),
  "hard-link-metadata": (parts) =>
    inBoth(parts, { name: "x", type: "1", link: "etc/issue", mode: 0o600 }),
  "hard-link-symlink": (parts) =>
    inBoth(parts, { name: "x", type: "1", link: "bin/bash", mode: 0o777 }),
  "symlink-empty": (parts) => inBoth(parts, { name: "x", type: "2", link: "" }),
  "symlink-climbs": (parts) =>
    inBoth(parts, { name: "x", type: "2", link: "../../../x" }),
  "whiteout-name": (parts) => inBoth(parts, { name: "etc/.wh.x" }),
  "whiteout-device": (parts) => {
    inBoth(parts, { name: "x", type: "3", device: [0, 0] });
    editJson(parts, "manifest", (document) => ({
      ...document,
      pathWhitelist: [
        "/bin/sh",
        "/bin/ash",
        "/bin/bash",
        "/etc/issue",
        "/etc/passwd",
      ],
    }));
  },
  "device-endless": (parts) =>
    inBoth(parts, { name: "x", type: "3", device: [1, 5] }),
  "name-not-utf8": (parts) => inBoth(parts, { name: "etc/\xff" }),
  "device-rootless": (parts) =>
    inBoth(parts, { name: "null", type: "3", device: [1, 3] }),
  "time-range": (parts) => inBoth(parts, { name: "old", mtime: -5 }),
  "blob-directories": (parts) => remove(parts, "blobs/"),
  "blob-digest": (parts) => {
    const { layer } = blobsOf(parts);
    insertAfter(parts, layer, {
      name: `blobs/sha256/${"a".repeat(64)}`,
      data: "x",
    });
  },
  "blob-size": (parts) =>
    editJson(parts, "index.json", (index) => void index.manifests[0].size++),
  "blob-missing": (parts) =>
    editJson(parts, "manifest.json", (list) => {
      list.push({ ...list[0], Config: "nowhere.json", RepoTags: [] });
    }),
  "blob-unused": (parts) =>
    insertAfter(parts, blobsOf(parts).layer, {
      name: `blobs/sha256/${hexOf(ascii("x"))}`,
      data: "x",
    }),
  "diff-id": (parts) =>
    editJson(parts, blobsOf(parts).config, (config) => {
      config.rootfs.diff_ids = [`sha256:${"b".repeat(64)}`];
    }),
  "history-layers": (parts) =>
    editJson(parts, blobsOf(parts).config, (config) => {
      config.history = [{}, {}];
    }),
  "layer-compression": (parts) =>
    editJson(parts, blobsOf(parts).manifest, (manifest) => {
      manifest.layers[0].mediaType += "+gzip";
    }),
  "layer-symlink": (parts) => {
    const { layer } = blobsOf(parts);
    insertAfter(
      parts,
      "manifest",
      { name: "one", type: "2", link: "two" },
      { name: "two", type: "2", link: layer },
    );
    editJson(parts, "manifest.json", (list) => void (list[0].Layers = ["one"]));
  },
  "json-syntax": (parts) => setData(part(parts, "index.json"), ascii("{")),
  "json-repeated-key": (parts) => {
    const file = part(parts, "manifest.json");
    const text = new TextDecoder().decode(file.data);
    setData(file, utf8(text.replace('"Layers":', '"layers":["x"],"Layers":')));
  },
  "document-size": (parts) => {
    const file = part(parts, "index.json");
    setData(file, concat([file.data, ascii(" ".repeat(5 << 20))]));
  },
  "document-place": (parts) => {
    const file = part(parts, "index.json");
    setPath(file, "other.json");
    insertAfter(parts, "other.json", {
      name: "index.json",
      type: "2",
      link: "other.json",
    });
  },
  "appc-schema": (parts) =>
    editJson(parts, "manifest", (manifest) => void (manifest.acVersion = "9")),
  "oci-schema": (parts) =>
    editJson(parts, "oci-layout", () => ({ imageLayoutVersion: "2.0.0" })),
  "docker-schema": (parts) =>
    editJson(parts, "manifest.json", (list) => {
      list.push({ RepoTags: [] });
    }),
  "docker-v1-schema": (parts) =>
    setData(part(parts, "rootfs/VERSION"), ascii("2.0")),
  "bundle-schema": (parts) =>
    editJson(parts, "config.json", (config) => void (config.process.cwd = ".")),
  "bundle-version": (parts) =>
    editJson(
      parts,
      "config.json",
      (config) => void (config.ociVersion = "1.0.2"),
    ),
  "lxd-schema": (parts) =>
    editJson(parts, "metadata.yaml", (data) => void (data.creation_date = 0)),
  "face-incomplete": (parts) => remove(parts, "oci-layout"),
  "symlink-no-blob": (parts) => {
    remove(parts, "oci-layout");
    remove(parts, "index.json");
    remove(parts, blobsOf2(parts));
  },
  "docker-v1-chain": (parts) =>
    editJson(parts, "rootfs/json", (v1) => void (v1.id = "c".repeat(64))),
  "platform-repeated": (parts) =>
    innerIndex(parts, (own) => [own, otherManifest(parts, own)]),
  "platform-missing": (parts) =>
    innerIndex(parts, (own) => [
      own,
      {
        ...own,
        platform: { os: "linux", architecture: "s390x" },
        digest: `sha256:${"0".repeat(64)}`,
      },
    ]),
  "index-depth": (parts) => {
    innerIndex(parts);
    innerIndex(parts);
  },
  "name-repeated": (parts) =>
    editJson(parts, "index.json", (index) => {
      const [own] = index.manifests;
      const { "io.containerd.image.name": name } = own.annotations;
      index.manifests.push({
        ...otherManifest(parts, own),
        annotations: { "io.containerd.image.name": name },
      });
    }),
  "tag-repeated": (parts) =>
    editJson(parts, "index.json", (index) => {
      index.manifests.push(index.manifests[0]);
    }),
  "zstd-view": (parts) => concat([skipHeader(4096), joined(parts)]),
  "faces-layers": (parts) => {
    const other = tarOf(TREE.slice(0, 2));
    insertAfter(parts, blobsOf(parts).layer, {
      name: `blobs/sha256/${hexOf(other)}`,
      data: String.fromCharCode(...other),
    });
    editJson(parts, blobsOf(parts).manifest, (manifest) => {
      manifest.layers[0].digest = `sha256:${hexOf(other)}`;
      manifest.layers[0].size = other.length;
    });
  },
  "faces-config": (parts) =>
    editJson(parts, "config.json", (config) => {
      config.process.args[1] = "-x";
    }),
  "faces-names": (parts) =>
    editJson(parts, "repositories", (names) => ({
      "isoc/other": names["isoc/hello"],
    })),
  "faces-platform": (parts) =>
    editJson(parts, "metadata.yaml", (data) => {
      data.architecture = "s390x";
    }),
  "tree-missing": (parts) => remove(parts, "rootfs/etc/passwd"),
  "tree-extra": (parts) =>
    insertAfter(parts, "rootfs/etc/issue", { name: "rootfs/etc/x" }),
  "tree-type": (parts) => {
    remove(parts, "rootfs/bin/bash");
    insertAfter(parts, "rootfs/etc/issue", { name: "rootfs/bin/bash" });
  },
  "tree-metadata": (parts) => setMode(parts, "rootfs/etc/issue", 0o600),
  "tree-link": (parts) => setLink(part(parts, "rootfs/bin/bash"), "ash"),
  "tree-content": (parts) => {
    part(parts, "rootfs/etc/issue").data[0]! ^= 1;
  },
  "whitelist-hides": (parts) =>
    editJson(parts, "manifest", (manifest) => {
      manifest.pathWhitelist = ["/bin/sh"];
    }),
  "manifest-first": (parts) => void parts.push(parts.shift()!),
};

/** The path of the OCI image manifest, without an index. */
function blobsOf2(parts: Part[]): string {
  return parts.find(({ data, path }) =>
    path.startsWith("blobs/sha256/") &&
    new TextDecoder().decode(data).includes('"layers":[{"mediaType"')
  )!.path;
}

/** Rules that cannot be broken alone, with those that break along. */
const ALONG: Partial<Record<RuleName, RuleName[]>> = {
  // What comes after is not read, such as the rest of rootfs/.
  "tar-truncated": ["tree-missing"],
  "tar-header": ["tree-missing"],
  "json-syntax": ["face-incomplete"],
  // The image config still says the digest of the right layer.
  "faces-layers": ["diff-id"],
};

Deno.test("an isoc breaks no rule", async () => {
  assert.deepEqual(await findingLines(await isocOf()), []);
});

Deno.test("an isoc that is taken apart and put together is the same", async () => {
  const isoc = await isocOf();
  assert.deepEqual(joined(await partsOf(isoc)), isoc);
});

for (const rule of RULE_NAMES) {
  Deno.test(`verify finds what breaks ${rule}, and that alone`, async () => {
    const parts = await partsOf(await isocOf());
    const archive = await BREAKERS[rule](parts) ?? joined(parts);
    const { findings } = await verify(archive);
    const lines = await findingLines(archive);
    assert.ok(
      findings.some((finding) => finding.rule === rule),
      `${rule} is not found, but\n${lines.join("\n")}`,
    );
    const others = findings.filter((finding) =>
      finding.rule !== rule && finding.severity !== "note" &&
      !ALONG[rule]?.includes(finding.rule)
    );
    assert.deepEqual(others, [], lines.join("\n"));
  });
}
