import { shown } from "../errors/shown.ts";
import type { Document, DocumentReader } from "./document_reader.ts";
import type { Json } from "./shape.ts";

/** A blob that a document names. */
export interface NamedBlob {
  /** The document, as findings show it. */
  entry: string;
  /** What it says of the blob. */
  descriptor: Json;
  /** Where the blob has to be. */
  path: string;
}

/** Checks presence and size of a document that another one names. */
export function checkNamedDocument(
  reader: DocumentReader,
  blob: NamedBlob,
  document: Document | undefined,
): document is Document {
  if (document) checkSize(reader, blob, document.size);
  else {
    reader.findings.add(
      "blob-missing",
      blob.entry,
      `it names ${shown(blob.path)}, which is not there or too large`,
    );
  }
  return document !== undefined;
}

/** The same for any other blob. */
export async function checkNamedBlob(
  reader: DocumentReader,
  blob: NamedBlob,
): Promise<void> {
  const file = await reader.files.open(blob.path);
  if (file) return checkSize(reader, blob, file.source.size);
  reader.findings.add(
    "blob-missing",
    blob.entry,
    `it names ${shown(blob.path)}, which is not there`,
  );
}

function checkSize(
  reader: DocumentReader,
  { entry, descriptor: { size }, path }: NamedBlob,
  found: number,
): void {
  if (size === found) return;
  reader.findings.add(
    "blob-size",
    entry,
    `it says that ${shown(path)} has ${shown(size)} bytes, which has ${found}`,
  );
}
