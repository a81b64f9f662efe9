import type { Package } from "./package.ts";
import type { SbomFile, SbomSubject } from "./sbom_subject.ts";
import {
  filesByOwner,
  imageName,
  imagePurl,
  supplierOf,
  webAddress,
} from "./sbom_image.ts";

/**
 * An SBOM in CycloneDX 1.6 (cyclonedx.org/docs/1.6/json).
 *
 * @param uuid What makes its serial number its own.
 */
export function cyclonedx(subject: SbomSubject, uuid: string): object {
  const { list, files = [], time, version } = subject;
  const owned = filesByOwner(files);
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata: {
      timestamp: time,
      tools: { components: [{ type: "application", name: "ciso", version }] },
      component: imageComponent(subject),
    },
    components: [
      ...systemComponents(subject),
      ...list.packages.map((one) =>
        componentOf(one, subject, owned.get(one.purl) ?? [])
      ),
      ...(owned.get("") ?? []).map(fileOf),
    ],
  };
}

function imageComponent(subject: SbomSubject): object {
  const { digest, layers } = subject;
  const url = imagePurl(subject);
  const known = layers.flatMap((diffId, i) =>
    diffId === undefined ? [] : [property(`layer:${i + 1}:diffId`, diffId)]
  );
  return {
    type: "container",
    "bom-ref": "image",
    name: imageName(subject),
    ...(digest !== undefined && { version: digest }),
    ...(url !== undefined && { purl: url }),
    ...(known.length > 0 && { properties: known }),
  };
}

function systemComponents({ list }: SbomSubject): object[] {
  const { distribution } = list;
  if (!distribution) return [];
  const { id, version, name } = distribution;
  return [{
    type: "operating-system",
    "bom-ref": "operating-system",
    name: id,
    ...(version !== undefined && { version }),
    ...(name !== undefined && { description: name }),
  }];
}

function componentOf(
  one: Package,
  { layers }: SbomSubject,
  files: SbomFile[],
): object {
  const { namespace, name, version, licence, source, purl } = one;
  const homepage = webAddress(one.homepage);
  const diffId = layers[one.layer - 1];
  return {
    type: "library",
    "bom-ref": purl,
    ...supplier(one.supplier),
    ...(namespace !== undefined && { group: namespace }),
    name,
    version,
    ...(licence !== undefined && { licenses: [{ expression: licence }] }),
    purl,
    ...(homepage !== undefined && {
      externalReferences: [{ type: "website", url: homepage }],
    }),
    ...(files.length > 0 && { components: files.map(fileOf) }),
    properties: [
      property("layer", String(one.layer)),
      ...(diffId === undefined ? [] : [property("layer:diffId", diffId)]),
      ...one.paths.map((path) => property("location", `/${path}`)),
      ...(source
        ? [
          property("source:name", source.name),
          property("source:version", source.version),
        ]
        : []),
    ],
  };
}

function property(name: string, value: string): object {
  return { name: `ciso:${name}`, value };
}

const EMAIL = /^[\w+-]{1,60}(\.[\w+-]{1,60})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/;

function supplier(text: string | undefined): object {
  const found = supplierOf(text);
  if (!found) return {};
  const { name, email } = found;
  const isEmail = email !== undefined && EMAIL.test(email);
  return { supplier: { name, ...(isEmail && { contact: [{ email }] }) } };
}

function fileOf({ path, sha1, sha256 }: SbomFile): object {
  return {
    type: "file",
    "bom-ref": `file:/${path}`,
    name: `/${path}`,
    hashes: [
      { alg: "SHA-1", content: sha1 },
      { alg: "SHA-256", content: sha256 },
    ],
  };
}
