/// <reference lib="dom" />
import { blobOf } from "./blob_of.ts";

/** A file that the user has chosen to write to (File System Access). */
interface FileHandle {
  createWritable(): Promise<WritableStream<Uint8Array>>;
}

/** What browsers have that can write to a file of the user's. */
interface Picker {
  showSaveFilePicker?: (
    options: { suggestedName: string },
  ) => Promise<FileHandle>;
}

/** How {@linkcode save} ended. */
export type Saved = "saved" | "download" | "dismissed";

/**
 * Saves a stream as a file. Where the browser can, it goes into a file that the user
 * chooses, piece by piece; else it becomes a blob, and a download of that.
 *
 * @param name The file's name, as it is suggested.
 * @param open Makes the stream. It is called after the user has chosen.
 * @returns `dismissed` if the user chose no file.
 * @throws {DOMException} If the file cannot be written.
 * @throws {NoRoomError} If the browser has no room for the download.
 */
export async function save(
  name: string,
  open: () => ReadableStream<Uint8Array>,
): Promise<Saved> {
  const picker = (globalThis as Picker).showSaveFilePicker;
  if (!picker) {
    download(name, await blobOf(open()));
    return "download";
  }
  let handle;
  try {
    handle = await picker.call(globalThis, { suggestedName: name });
  } catch (error) {
    if ((error as Error).name === "AbortError") return "dismissed";
    throw error;
  }
  // The file has its old content until all has been written.
  await open().pipeTo(await handle.createWritable());
  return "saved";
}

/** How long the browser has to start a download, in milliseconds. */
const KEPT = 60_000;

function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}
