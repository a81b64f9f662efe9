import { directoryFiles } from "../directory/layout_directory.ts";
import { shown } from "../errors/shown.ts";
import { filesOfTar, type ImageFiles } from "../read/image_files.ts";
import { serveImages } from "../registry/serve_images.ts";
import { addImage, type ServedImages } from "../registry/served_images.ts";
import { host } from "../system/host.ts";
import { serve } from "../system/http_server.ts";
import type { Input } from "../system/input.ts";
import { openInput } from "../system/open_input.ts";
import type { TlsFiles } from "../system/tls_files.ts";
import { type Allow, htpasswd } from "./htpasswd.ts";
import { inFile, ofFile } from "./failure.ts";
import type { Parsed } from "./options.ts";
import { unpackLimits } from "./output.ts";
import { DEFAULT_ADDRESS } from "./registry_options.ts";
import { printLines, say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs `ciso serve`: a read-only registry of image files, until a signal ends
 * it. Transfers that run then come to their end; a second signal ends them too.
 *
 * @param parsed The command line.
 * @throws {UsageError} If the command line is wrong.
 * @throws {InputError} If an image cannot be read, or the address is taken.
 */
export async function runServe(parsed: Parsed): Promise<void> {
  const paths = parsed.words;
  const names = parsed.values("name");
  if (paths.length === 0) {
    throw new UsageError("ciso serve takes at least one image file");
  }
  if (names.length > 0 && paths.length > 1) {
    throw new UsageError("--name is for one image, not for several");
  }
  const address = parseAddress(parsed.value("listen") ?? DEFAULT_ADDRESS);
  const tls = tlsFiles(parsed);
  const allow = users(parsed);
  const open: Input[] = [];
  try {
    const images: ServedImages = new Map();
    for (const path of paths) {
      try {
        const { files, home } = await filesAt(path, parsed, open);
        await addImage(images, files, names, home);
      } catch (error) {
        throw ofFile(path, error);
      }
    }
    const answer = serveImages(images, { allow });
    const server = await serve(
      parsed.on("verbose") ? logged(answer) : answer,
      {
        ...address,
        tls,
        onError: (error) => say((error as Error).message),
      },
    );
    if (!parsed.on("quiet")) announce(server.url, images);
    await new Promise((stop) => host.onFirstSignal(stop));
    await server.close();
  } finally {
    for (const input of open) input.close();
  }
}

/**
 * The files of an image.
 *
 * @param open Gets what has to be closed in the end.
 * @returns The files, and the repository of images which have a tag alone.
 */
async function filesAt(
  path: string,
  parsed: Parsed,
  open: Input[],
): Promise<{ files: ImageFiles; home: string | undefined }> {
  if (path !== "-" && host.isDirectory(path)) {
    return { files: directoryFiles(path), home: repositoryOf(path) };
  }
  const file = path === "-" ? undefined : path;
  const input = await openInput(file, unpackLimits(parsed));
  open.push(input);
  const home = path === "-" ? undefined : repositoryOf(path);
  return { files: await filesOfTar(input), home };
}

/** The repository that a path gives images which have a tag alone. */
function repositoryOf(path: string): string | undefined {
  const name = path.replace(/\/+$/, "").replace(/^.*\//, "")
    .replace(/\.(tar|isoc)(\.\w+)?$/, "").toLowerCase();
  return /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name) ? name : undefined;
}

function parseAddress(text: string): { hostname: string; port: number } {
  const [, inBrackets, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|([\w.-]*)):(\d{1,5})$/i.exec(text) ?? [];
  const hostname = inBrackets ?? plain;
  if (hostname === undefined || Number(port) > 65535) {
    throw new UsageError(
      `--listen: ${shown(text)} is not ADDRESS:PORT, such as 127.0.0.1:5000`,
    );
  }
  return { hostname: hostname || "0.0.0.0", port: Number(port) };
}

function tlsFiles(parsed: Parsed): TlsFiles | undefined {
  const cert = parsed.value("tls-cert");
  const key = parsed.value("tls-key");
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new UsageError("--tls-cert and --tls-key go together");
  }
  return { cert, key };
}

function users(parsed: Parsed): Allow | undefined {
  const path = parsed.value("htpasswd");
  if (path === undefined) return undefined;
  return inFile(path, () => htpasswd(host.readText(path)));
}

function logged(answer: (request: Request) => Promise<Response>) {
  return async (request: Request) => {
    const response = await answer(request);
    const { pathname } = new URL(request.url);
    say(`${request.method} ${shown(pathname)} ${response.status}`);
    return response;
  };
}

/** Says where it listens and what can be pulled, on standard output. */
function announce(url: string, images: ServedImages): void {
  const place = url.replace(/^\w+:\/\//, "");
  const names = [...images].flatMap(([name, { tags }]) =>
    [...tags.keys()].map((tag) => `${place}/${name}:${tag}`)
  );
  printLines([url, ...names]);
}
