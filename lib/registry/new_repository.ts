import { discard } from "./body.ts";
import type { RegistryClient } from "./client.ts";
import { pushScope } from "./upload_place.ts";

/**
 * Whether a repository has no image, as far as the registry says; asked once, when
 * somebody wants to know.
 *
 * @param client The registry.
 * @param repository The repository there.
 */
export function newRepository(
  client: RegistryClient,
  repository: string,
): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined;
  const ask = async () => {
    const response = await client.send({
      method: "GET",
      path: `/v2/${repository}/tags/list?n=1`,
      scope: pushScope(repository),
      expect: [200, 400, 401, 403, 404, 405],
    });
    await discard(response);
    return response.status === 404;
  };
  return () => answer ??= ask();
}
