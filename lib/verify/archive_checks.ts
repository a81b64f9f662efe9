import { shown } from "../errors/shown.ts";
import type { Archive } from "./archive_files.ts";
import type { Documents } from "./documents.ts";
import type { Findings } from "./finding.ts";
import { checkWhitelist } from "./path_whitelist.ts";

/** Checks the archive as a whole. */
export function checkArchive(
  archive: Archive,
  documents: Documents,
  findings: Findings,
): void {
  const { faces } = documents;
  if (faces.has("oci")) {
    for (const path of ["blobs", "blobs/sha256"]) {
      if (archive.isDirectory(path)) continue;
      findings.add("blob-directories", shown(`${path}/`), "it has no entry");
    }
  } else if (faces.has("docker") && archive.dangling) {
    findings.add(
      "symlink-no-blob",
      archive.dangling,
      "it is a symlink, and there is no oci-layout",
    );
  }
  if (!faces.has("appc")) return;
  if (archive.first !== "manifest") {
    findings.add(
      "manifest-first",
      shown("manifest"),
      `the first entry is ${shown(archive.first ?? "")}`,
    );
  }
  checkWhitelist(archive, documents, findings);
}
