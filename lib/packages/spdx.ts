import { sha1Text, textDigest } from "../streams/sha256.ts";
import { licenceReferences } from "./licence.ts";
import { byText, type Package } from "./package.ts";
import type { SbomFile, SbomSubject } from "./sbom_subject.ts";
import {
  filesByOwner,
  imageName,
  imagePurl,
  supplierOf,
  webAddress,
} from "./sbom_image.ts";

const NO_ASSERTION = "NOASSERTION";
const DOCUMENT = "SPDXRef-DOCUMENT";
const IMAGE = "SPDXRef-Image";

/**
 * An SBOM in SPDX 2.3 (spdx.github.io/spdx-spec/v2.3).
 *
 * @param uuid What makes its namespace its own.
 */
export function spdx(subject: SbomSubject, uuid: string): object {
  const { list, files = [], time, version } = subject;
  const name = imageName(subject);
  const owned = filesByOwner(files);
  const packages = list.packages.map((one) =>
    packageOf(one, subject, owned.get(one.purl) ?? [])
  );
  const references = [
    ...new Set(
      list.packages.flatMap(({ licence = "" }) => licenceReferences(licence)),
    ),
  ].sort(byText);
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: DOCUMENT,
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${
      encodeURIComponent(name.toWellFormed())
    }-${uuid}`,
    creationInfo: { created: time, creators: [`Tool: ciso-${version}`] },
    packages: [imagePackage(subject, owned.get("") ?? []), ...packages],
    ...(files.length > 0 && { files: files.map(fileOf) }),
    relationships: [
      relation(DOCUMENT, "DESCRIBES", IMAGE),
      ...list.packages.map((one) => relation(IMAGE, "CONTAINS", idOf(one))),
      ...files.map(({ owner, path }) =>
        relation(
          owner === undefined ? IMAGE : packageId(owner),
          "CONTAINS",
          fileId(path),
        )
      ),
    ],
    ...(references.length > 0 && {
      hasExtractedLicensingInfos: references.map((licenseId) => ({
        licenseId,
        name: licenseId.slice("LicenseRef-".length),
        extractedText: `A package calls its licence so: ${
          licenseId.slice("LicenseRef-".length)
        }`,
      })),
    }),
  };
}

function imagePackage(subject: SbomSubject, files: SbomFile[]): object {
  const { digest, list: { distribution } } = subject;
  const url = imagePurl(subject);
  return {
    name: imageName(subject),
    SPDXID: IMAGE,
    ...(digest !== undefined && { versionInfo: digest }),
    ...filesOf(files),
    ...UNKNOWN,
    licenseDeclared: NO_ASSERTION,
    primaryPackagePurpose: "CONTAINER",
    ...(distribution && {
      comment: `Operating system: ${distribution.name ?? distribution.id}`,
    }),
    ...(url !== undefined && { externalRefs: [urlOf(url)] }),
  };
}

/** What nobody has looked into. */
const UNKNOWN = {
  downloadLocation: NO_ASSERTION,
  licenseConcluded: NO_ASSERTION,
  copyrightText: NO_ASSERTION,
};

function packageOf(
  one: Package,
  { layers }: SbomSubject,
  files: SbomFile[],
): object {
  const { namespace, name, version, licence, supplier, source } = one;
  const homepage = webAddress(one.homepage);
  const diffId = layers[one.layer - 1];
  const notes = [
    `named by /${one.paths.join(", /")}`,
    `came with layer ${one.layer}${diffId === undefined ? "" : ` (${diffId})`}`,
    ...(source
      ? [`built from source package ${source.name} ${source.version}`]
      : []),
  ];
  return {
    name: namespace === undefined || one.type === "deb"
      ? name
      : `${namespace}/${name}`,
    SPDXID: idOf(one),
    versionInfo: version,
    supplier: supplierText(supplier),
    ...filesOf(files),
    ...UNKNOWN,
    licenseDeclared: licence ?? NO_ASSERTION,
    ...(homepage !== undefined && { homepage }),
    sourceInfo: notes.join("; "),
    externalRefs: [urlOf(one.purl)],
  };
}

function supplierText(text: string | undefined): string {
  const found = supplierOf(text);
  if (!found) return NO_ASSERTION;
  const { name, email, isPerson } = found;
  return `${isPerson ? "Person" : "Organization"}: ${name}${
    email === undefined ? "" : ` (${email})`
  }`;
}

/** SPDX 2.3, 7.8 and 7.9: the sum of a package's files. */
function filesOf(files: readonly SbomFile[]): object {
  if (files.length === 0) return { filesAnalyzed: false };
  const sums = files.map(({ sha1 }) => sha1).sort(byText);
  return {
    filesAnalyzed: true,
    packageVerificationCode: {
      packageVerificationCodeValue: sha1Text(sums.join("")),
    },
  };
}

function fileOf({ path, sha1, sha256 }: SbomFile): object {
  return {
    fileName: `./${path}`,
    SPDXID: fileId(path),
    checksums: [
      { algorithm: "SHA1", checksumValue: sha1 },
      { algorithm: "SHA256", checksumValue: sha256 },
    ],
    licenseConcluded: NO_ASSERTION,
    copyrightText: NO_ASSERTION,
  };
}

function urlOf(url: string): object {
  return {
    referenceCategory: "PACKAGE-MANAGER",
    referenceType: "purl",
    referenceLocator: url,
  };
}

function relation(from: string, relationshipType: string, to: string): object {
  return {
    spdxElementId: from,
    relationshipType,
    relatedSpdxElement: to,
  };
}

function idOf({ purl }: Package): string {
  return packageId(purl);
}

/** Identifiers have letters, digits, dots and lines, and are never twice there. */
function packageId(purl: string): string {
  const [, type, name] = /^pkg:([a-z]+)\/([^@]*)/.exec(purl)!;
  const word = `${type}-${name}`.replace(/[^A-Za-z0-9.]+/g, "-").slice(0, 80);
  return `SPDXRef-Package-${word}-${textDigest(purl).slice(0, 16)}`;
}

function fileId(path: string): string {
  return `SPDXRef-File-${textDigest(path).slice(0, 32)}`;
}
