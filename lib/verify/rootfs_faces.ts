import { shown } from "../errors/shown.ts";
import { isRefusal } from "../errors/refusal.ts";
import { checkAppc } from "./appc_face.ts";
import { checkBundle } from "./bundle_face.ts";
import type { TellFace } from "./compare_fields.ts";
import type { Documents } from "./documents.ts";
import { expectedImage } from "./expected_image.ts";
import type { Findings } from "./finding.ts";
import { checkLxd } from "./lxd_face.ts";

/**
 * Checks that the faces that read rootfs/ say what the image config says, as
 * far as each can express it: what ciso writes for it.
 */
export function checkRootfsFaces(
  documents: Documents,
  findings: Findings,
): void {
  const tell: TellFace = (rule, entry, message) =>
    findings.add(rule, shown(entry), message);
  for (const check of [checkAppc, checkBundle, checkLxd]) {
    try {
      const image = expectedImage(documents);
      if (image) check(documents, image, tell);
    } catch (error) {
      // Another face may have no words for what a foreign config says.
      if (!isRefusal(error)) throw error;
    }
  }
}
