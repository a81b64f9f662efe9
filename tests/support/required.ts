/**
 * Engines that must not be left out of the tests: what `CISO_REQUIRE_ENGINES`
 * lists, separated by blanks or commas, such as "appc docker".
 */
export const required = (Deno.env.get("CISO_REQUIRE_ENGINES") ?? "")
  .split(/[\s,]+/)
  .filter(Boolean);
