// Packages of real systems, beside what their own package managers say; SBOMs in
// a real registry.

import assert from "node:assert/strict";
import { allowing, ciso, ROOT, temporary } from "../support/ciso.ts";
import {
  missingForRegistry,
  startRegistry,
} from "../support/docker_registry.ts";
import { required } from "../support/required.ts";
import { isInstalled, run } from "../support/run.ts";
import { faultsOf } from "../support/sbom_schema.ts";
import { tarOf } from "../support/tar_writer.ts";

/** JSON of which the test knows what is in it. */
// deno-lint-ignore no-explicit-any
type Loose = any;

const CI = Deno.env.get("CI") === "true";
const noDebian = ["debootstrap", "dpkg-query"].find((name) =>
  !isInstalled(name)
);
const noRegistry = missingForRegistry();

async function printed(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ciso(args, {
    command: allowing("--allow-net"),
  });
  assert.equal(code, 0, stderr);
  return stdout;
}

Deno.test({
  name: "A Debian has the packages, licences and files that dpkg says",
  ignore: noDebian !== undefined && !CI,
  async fn() {
    await using work = await temporary();
    const at = (name: string) => `${work.path}/${name}`;
    await run(`${ROOT}/scripts/rootfs`, ["debian", at("debian.tar")]);
    await run("tar", [
      "xf",
      at("debian.tar"),
      "-C",
      work.path,
      "./var/lib/dpkg",
    ]);
    const query = (...args: string[]) =>
      run("dpkg-query", [`--admindir=${at("var/lib/dpkg")}`, ...args]);
    const args = ["-t", "isoc/debian", "-q", "-o", at("debian.isoc")];
    await printed([
      ...[at("debian.tar"), ...args, "--sbom", "spdx", "--sbom-files"],
      ...["--sbom", "cyclonedx", "--", "/bin/sh"],
    ]);
    const fields = ["Package", "Version", "Architecture", "source:Package"];
    const said = await query(
      "-W",
      "-f",
      `${fields.map((field) => `\${${field}}`).join(" ")}\n`,
    );
    const { packages }: Loose = JSON.parse(
      await printed(["inspect", at("debian.isoc"), "--packages", "--json"]),
    );
    const lines = packages.map((one: Loose) =>
      [one.name, one.version, one.architecture, one.source.name].join(" ")
    );
    assert.ok(lines.length > 50);
    assert.deepEqual(lines.sort(), said.trim().split("\n").sort());
    const apt = packages.find(({ name }: Loose) => name === "apt");
    assert.match(apt.licence, /GPL-2\.0-or-later/);

    const read = async (suffix: string): Promise<Loose> =>
      JSON.parse(await Deno.readTextFile(at(`debian.isoc.${suffix}`)));
    const [spdx, cyclonedx] = [await read("spdx.json"), await read("cdx.json")];
    assert.deepEqual(faultsOf("spdx", spdx), []);
    assert.deepEqual(faultsOf("cyclonedx", cyclonedx), []);
    const id = spdx.packages.find(({ name }: Loose) => name === "apt").SPDXID;
    const names = new Map(
      spdx.files.map((file: Loose) => [file.SPDXID, file.fileName.slice(1)]),
    );
    const files = spdx.relationships
      .filter(({ spdxElementId }: Loose) => spdxElementId === id)
      .map((one: Loose) => names.get(one.relatedSpdxElement));
    const listed = (await query("-L", "apt")).trim().split("\n");
    assert.ok(files.length > 20);
    // dpkg has /lib/x, which is /usr/lib/x by now.
    const old = (file: string) => file.replace(/^\/usr/, "");
    for (const file of files) {
      assert.ok(listed.includes(file) || listed.includes(old(file)), file);
    }
    // Its checksums are those that dpkg has of the same files.
    await run("tar", [
      "xf",
      at("debian.tar"),
      "-C",
      work.path,
      "./usr/bin/apt",
    ]);
    const [sha256] = (await run("sha256sum", [at("usr/bin/apt")])).split(" ");
    const apt256 = spdx.files.find(({ fileName }: Loose) =>
      fileName === "./usr/bin/apt"
    ).checksums[1].checksumValue;
    assert.equal(apt256, sha256);
  },
});

Deno.test({
  name: "push --sbom puts SBOMs beside the image in Docker's registry",
  ignore: noRegistry !== undefined && !required.includes("registry"),
  async fn() {
    await using work = await temporary();
    await using registry = await startRegistry({ work: work.path });
    const image = `${work.path}/app.isoc`;
    const status = "Package: a\nVersion: 1\nArchitecture: amd64\n";
    await Deno.writeFile(
      `${work.path}/app.tar`,
      tarOf([{ name: "var/lib/dpkg/status", data: status }]),
    );
    await printed([
      ...[`${work.path}/app.tar`, "-t", "isoc/app:1.0", "-q", "-o", image],
      ...["--", "/bin/sh"],
    ]);
    const target = `${registry.host}/isoc/app:1.0`;
    const formats = ["--sbom", "spdx", "--sbom", "cyclonedx"];
    const words = ["push", image, target, "--json", "-q", ...formats];
    const pushed: Loose = JSON.parse(await printed(words));
    assert.deepEqual(
      pushed.sboms.map(({ format }: Loose) => format),
      ["spdx", "cyclonedx"],
    );
    const api = `http://${registry.host}/v2/isoc/app`;
    const fetched = async (path: string): Promise<string> => {
      const headers = {
        accept: "application/vnd.oci.image.manifest.v1+json, " +
          "application/vnd.oci.image.index.v1+json",
      };
      const response = await fetch(`${api}/${path}`, { headers });
      assert.equal(response.status, 200, path);
      return await response.text();
    };
    // This registry is older than OCI 1.1: the list is under a tag.
    const index: Loose = JSON.parse(
      await fetched(`manifests/${pushed.digest.replace(":", "-")}`),
    );
    assert.deepEqual(
      index.manifests.map(({ artifactType }: Loose) => artifactType),
      ["application/spdx+json", "application/vnd.cyclonedx+json"],
    );
    for (const [i, format] of (["spdx", "cyclonedx"] as const).entries()) {
      const { digest } = index.manifests[i];
      assert.equal(digest, pushed.sboms[i].digest);
      const manifest: Loose = JSON.parse(await fetched(`manifests/${digest}`));
      assert.equal(manifest.subject.digest, pushed.digest);
      const text = await fetched(`blobs/${manifest.layers[0].digest}`);
      assert.deepEqual(faultsOf(format, JSON.parse(text)), []);
      // It names what was pushed, whose layers are compressed.
      assert.ok(text.includes(pushed.digest));
      assert.ok(text.includes("pkg:deb/debian/a@1?arch=amd64"));
    }
    // The same once more is the same.
    assert.deepEqual(JSON.parse(await printed(words)).sboms, pushed.sboms);
  },
});
