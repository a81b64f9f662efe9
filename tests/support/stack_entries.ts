// Entries of layers, in few words.

import type { TarEntry } from "./tar_writer.ts";

export const directory = (name: string, mode = 0o755, owner = 0): TarEntry => ({
  name,
  type: "5",
  mode,
  uid: owner,
  gid: owner,
});

export const file = (name: string, data = name, mode = 0o644): TarEntry => ({
  name,
  data,
  mode,
});

export const symlink = (name: string, link: string): TarEntry => ({
  name,
  type: "2",
  link,
  mode: 0o777,
});

export const hardLink = (name: string, link: string): TarEntry => ({
  name,
  type: "1",
  link,
});

export const device = (
  name: string,
  major: number,
  minor: number,
): TarEntry => ({
  name,
  type: "3",
  device: [major, minor],
});

export const whiteout = (name: string): TarEntry => ({
  name,
  data: "",
  mode: 0,
});
