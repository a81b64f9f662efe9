import type { Trick } from "./fake_registry.ts";

/** Plays a trick on requests whose method and path match, `PUT /v2/…`. */
export function on(
  line: RegExp,
  answer: (request: Request, count: number) => ReturnType<Trick>,
): Trick {
  let count = 0;
  return (request) => {
    const { pathname } = new URL(request.url);
    return line.test(`${request.method} ${pathname}`)
      ? answer(request, ++count)
      : undefined;
  };
}

/** An answer without a body. */
export function status(status: number, headers: HeadersInit = {}): Response {
  return new Response(null, { status, headers });
}

/** A body without end. */
export function endless(status = 200): Response {
  return new Response(
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1 << 16)),
    }),
    { status },
  );
}

/** What a registry says to one who may not do that, with a terminal's escapes. */
export function denied(): Response {
  return Response.json({
    errors: [{
      code: "DENIED",
      message: "\x1b[31mno\r\nciso: all is well",
    }],
  }, { status: 403 });
}

/** Tricks with one request that end each command, and what it says of them. */
export const REFUSED = (line: RegExp): [string, Trick, RegExp][] => [
  ["403 with escapes in its words", on(line, denied), /\\u001b.*log in/],
  [
    "redirects in a circle",
    on(line, (request) => status(307, { location: request.url })),
    /redirects without end/,
  ],
  [
    "a redirect to a file",
    on(line, () => status(307, { location: "file:///etc/passwd" })),
    /not HTTPS/,
  ],
  [
    "a redirect to a host that wants the password",
    (request) => {
      const url = new URL(request.url);
      const there = `http://localhost:${url.port}`;
      // It gets no question for a token.
      if (url.pathname === "/token") return status(403);
      if (url.hostname === "localhost") {
        return status(401, {
          "www-authenticate": `Bearer realm="${there}/token"`,
        });
      }
      return line.test(`${request.method} ${url.pathname}`)
        ? status(307, { location: `${there}${url.pathname}` })
        : undefined;
    },
    /localhost:\d+, where 127.* leads, answers 401/,
  ],
];

/** Tricks that end each command, and what it says of them. */
export const NO_LOGIN: [string, Trick, RegExp][] = [
  [
    "tokens that never do",
    (request) => {
      const { pathname, host } = new URL(request.url);
      if (pathname === "/token") return Response.json({ token: "wrong" });
      return status(401, {
        "www-authenticate": `Bearer realm="http://${host}/token",service="x"`,
      });
    },
    /log in with docker login/,
  ],
  [
    "a token server that answers HTML",
    (request) => {
      const { pathname, host } = new URL(request.url);
      return pathname === "/token" ? new Response("<html>") : status(401, {
        "www-authenticate": `Bearer realm="http://${host}/token"`,
      });
    },
    /is no JSON: is it a token server/,
  ],
  ["401 for ever", () => status(401), /log in with docker login/],
];
