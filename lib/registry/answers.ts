/** An answer that is a document. */
export function json(
  document: unknown,
  headers: Record<string, string> = {},
): Response {
  return answer(200, document, headers);
}

/** OCI distribution-spec v1.1, "Error Codes". */
export function failure(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return answer(status, { errors: [{ code, message }] }, headers);
}

function answer(
  status: number,
  document: unknown,
  headers: Record<string, string>,
): Response {
  const text = JSON.stringify(document);
  return new Response(text, {
    status,
    headers: {
      "content-type": "application/json",
      "content-length": String(new TextEncoder().encode(text).length),
      "docker-distribution-api-version": "registry/2.0",
      ...headers,
    },
  });
}

/** Whether a client has what it asks for: RFC 9110, section 13.1.2. */
export function isKnown(request: Request, digest: string): boolean {
  const text = request.headers.get("if-none-match");
  return text !== null && text.split(",").some((tag) => {
    const clean = tag.trim().replace(/^W\//, "");
    return clean === "*" || clean === `"${digest}"`;
  });
}
