import * as library from "@cyclonedx/cyclonedx-library";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

/** JSON whose shape a schema checks. */
// deno-lint-ignore no-explicit-any
type Loose = any;

const read = (path: string) => JSON.parse(Deno.readTextFileSync(path));

const text = { type: "string", minLength: 1 };
const id = { type: "string", pattern: "^SPDXRef-[A-Za-z0-9.-]+$" };
const expression = {
  type: "string",
  pattern: "^(NOASSERTION|[A-Za-z0-9.+() -]+)$",
};
const list = (items: object) => ({ type: "array", items });
/** An object that has no other members than these. */
const only = (properties: object, required: string[]) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

/**
 * The members of SPDX 2.3's JSON that ciso writes, as its specification has them
 * (spdx.github.io/spdx-spec/v2.3, clauses 6 to 11). No npm package has the schema
 * of SPDX itself.
 */
const SPDX = only({
  spdxVersion: { const: "SPDX-2.3" },
  dataLicense: { const: "CC0-1.0" },
  SPDXID: { const: "SPDXRef-DOCUMENT" },
  name: text,
  documentNamespace: { type: "string", format: "uri", pattern: "^[^#]+$" },
  creationInfo: only({
    created: {
      type: "string",
      pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$",
    },
    creators: {
      ...list({ type: "string", pattern: "^Tool: .+-.+$" }),
      minItems: 1,
    },
  }, ["created", "creators"]),
  packages: list(only({
    name: text,
    SPDXID: id,
    versionInfo: text,
    supplier: {
      type: "string",
      pattern: "^(NOASSERTION|(Person|Organization): .+)$",
    },
    downloadLocation: { const: "NOASSERTION" },
    filesAnalyzed: { type: "boolean" },
    packageVerificationCode: only({
      packageVerificationCodeValue: {
        type: "string",
        pattern: "^[0-9a-f]{40}$",
      },
    }, ["packageVerificationCodeValue"]),
    licenseConcluded: { const: "NOASSERTION" },
    licenseDeclared: expression,
    copyrightText: text,
    homepage: { type: "string", format: "uri" },
    sourceInfo: text,
    comment: text,
    primaryPackagePurpose: { enum: ["CONTAINER"] },
    externalRefs: list(only({
      referenceCategory: { const: "PACKAGE-MANAGER" },
      referenceType: { const: "purl" },
      referenceLocator: { type: "string", pattern: "^pkg:[a-z]+/.+$" },
    }, ["referenceCategory", "referenceType", "referenceLocator"])),
  }, ["name", "SPDXID", "downloadLocation", "filesAnalyzed"])),
  files: list(only({
    fileName: { type: "string", pattern: "^\\./" },
    SPDXID: id,
    checksums: list(only({
      algorithm: { enum: ["SHA1", "SHA256"] },
      checksumValue: { type: "string", pattern: "^[0-9a-f]{40,64}$" },
    }, ["algorithm", "checksumValue"])),
    licenseConcluded: text,
    copyrightText: text,
  }, ["fileName", "SPDXID", "checksums"])),
  relationships: list(only({
    spdxElementId: id,
    relationshipType: { enum: ["DESCRIBES", "CONTAINS"] },
    relatedSpdxElement: id,
  }, ["spdxElementId", "relationshipType", "relatedSpdxElement"])),
  hasExtractedLicensingInfos: list(only({
    licenseId: { type: "string", pattern: "^LicenseRef-[A-Za-z0-9.-]+$" },
    name: text,
    extractedText: text,
  }, ["licenseId", "extractedText"])),
}, [
  ...["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace"],
  "creationInfo",
]);

let validators: Record<"spdx" | "cyclonedx", Loose> | undefined;

function make() {
  const ajv: Loose = new Ajv({ strict: false, allErrors: true });
  (addFormats as Loose)(ajv);
  ajv.addFormat("iri-reference", (value: string) => URL.canParse(value));
  ajv.addFormat("idn-email", /^[^@\s]+@[^@\s]+$/);
  const { CDX, SPDX: LICENCES, JSF } =
    (library as Loose).default._Resources.FILES;
  const main: string = CDX.JSON_STRICT_SCHEMA["1.6"];
  const folder = "http://cyclonedx.org/schema/";
  for (const path of [LICENCES.JSON_SCHEMA, JSF.JSON_SCHEMA]) {
    const { $id: _, ...schema } = read(path);
    ajv.addSchema(schema, folder + path.slice(path.lastIndexOf("/") + 1));
  }
  const { $id: _, ...definitions } = read(
    main.replace(/[^/]+$/, "cryptography-defs.SNAPSHOT.schema.json"),
  );
  ajv.addSchema(definitions, `${folder}cryptography-defs.SNAPSHOT.schema.json`);
  return { spdx: ajv.compile(SPDX), cyclonedx: ajv.compile(read(main)) };
}

/** What a schema finds wrong with an SBOM; nothing if it is valid. */
export function faultsOf(
  format: "spdx" | "cyclonedx",
  document: unknown,
): string[] {
  validators ??= make();
  const validate = validators[format];
  if (validate(document)) return danglingIn(format, document);
  return validate.errors.map(({ instancePath, message }: Loose) =>
    `${instancePath} ${message}`
  );
}

/** Identifiers that are there twice, or lead to nothing. */
function danglingIn(format: "spdx" | "cyclonedx", document: Loose): string[] {
  const ids: string[] = format === "spdx"
    ? [document, ...document.packages, ...document.files ?? []].map((one) =>
      one.SPDXID
    )
    : [document.metadata.component, ...document.components].flatMap((one) => [
      one["bom-ref"],
      ...(one.components ?? []).map((inner: Loose) => inner["bom-ref"]),
    ]);
  const known = new Set(ids);
  const ends: string[] = (document.relationships ?? []).flatMap((
    one: Loose,
  ) => [
    one.spdxElementId,
    one.relatedSpdxElement,
  ]);
  return [
    ...(known.size < ids.length ? ["an identifier is there twice"] : []),
    ...ends.filter((end) => !known.has(end)).map((end) => `no ${end}`),
  ];
}
