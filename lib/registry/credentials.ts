/** Who asks a registry. */
export type Credentials =
  | { username: string; password: string }
  /** A refresh token, as `docker login` has it for some registries. */
  | { identityToken: string };

/**
 * The header `Authorization` of HTTP's basic scheme: RFC 7617.
 *
 * @param username Any text without a colon.
 * @param password Any text.
 */
export function basicHeader(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
