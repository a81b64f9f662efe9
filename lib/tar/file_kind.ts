import { compressionOf } from "../streams/compression.ts";

/** What a file is that is not a tar, and what makes a tar or a directory of it. */
export interface FileKind {
  /** With its article, such as "a zip archive". */
  name: string;
  /** What to do, without a full stop. */
  remedy: string;
}

/** A sign that a file of a kind has: bytes at an offset; -1 is any byte. */
type Magic = readonly [offset: number, bytes: readonly number[] | string];

const decompress = (program: string) => `${program} FILE | ciso …`;
const unpack = (command: string) => `${command}, and give DIR`;
const DISK = "virt-tar-out -a FILE / - | ciso …";
const MACHINE =
  "put it into a directory, such as DIR/bin, and give DIR with -- /bin/NAME";

/** Kinds by their magic numbers, those first that others may contain. */
const KINDS: readonly (readonly [name: string, remedy: string, Magic])[] = [
  ["compressed with compress (.Z)", decompress("zcat"), [0, [0x1f, 0x9d]]],
  ["compressed with pack (.z)", decompress("zcat"), [0, [0x1f, 0x1e]]],
  ["compressed with lzip (.lz)", decompress("lzip -dc"), [0, "LZIP"]],
  ["compressed with lz4", decompress("lz4 -dc"), [0, [0x04, 0x22, 0x4d, 0x18]]],
  ["compressed with lz4", decompress("lz4 -dc"), [0, [0x02, 0x21, 0x4c, 0x18]]],
  ["compressed with lzop", decompress("lzop -dc"), [0, [
    0x89,
    0x4c,
    0x5a,
    0x4f,
  ]]],
  [
    "compressed with lzma",
    decompress("xz --format=lzma -dc"),
    [0, [0x5d, 0x00, 0x00, -1, -1]],
  ],
  [
    "compressed with LZFSE (.lzfse)",
    decompress("lzfse -decode -i"),
    [0, "bvx2"],
  ],
  [
    "a 7z archive",
    unpack("7z x -oDIR FILE"),
    [0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ],
  ["a zip archive", unpack("unzip FILE -d DIR"), [0, "PK\x03\x04"]],
  ["an empty zip archive", "there is nothing in it", [0, "PK\x05\x06"]],
  ["a RAR archive", unpack("unrar x FILE DIR/"), [0, "Rar!\x1a\x07"]],
  ["a cabinet archive", unpack("cabextract -d DIR FILE"), [0, "MSCF"]],
  ["a xar archive", unpack("bsdtar -xf FILE -C DIR"), [0, "xar!"]],
  ["a cpio archive", "bsdtar -cf - @FILE | ciso …", [0, "070701"]],
  ["a cpio archive", "bsdtar -cf - @FILE | ciso …", [0, "070702"]],
  ["a cpio archive", "bsdtar -cf - @FILE | ciso …", [0, "070707"]],
  ["a cpio archive", "bsdtar -cf - @FILE | ciso …", [0, [0xc7, 0x71]]],
  [
    "a Debian package",
    "dpkg-deb --fsys-tarfile FILE | ciso …",
    [0, "!<arch>\ndebian-binary"],
  ],
  ["an ar archive", "ar x FILE takes it apart", [0, "!<arch>\n"]],
  [
    "an RPM package",
    "rpm2archive -n FILE | ciso …",
    [0, [0xed, 0xab, 0xee, 0xdb]],
  ],
  ["an AppImage", unpack("FILE --appimage-extract makes DIR"), [8, "AI\x02"]],
  ["an ELF program", MACHINE, [0, "\x7fELF"]],
  ["a WebAssembly module", MACHINE, [0, "\0asm"]],
  [
    "a program for macOS",
    "a container needs one for Linux",
    [0, [0xcf, 0xfa, 0xed, 0xfe]],
  ],
  [
    "a virtual disk (qcow2)",
    DISK,
    [0, [0x51, 0x46, 0x49, 0xfb]],
  ],
  ["a virtual disk (VMDK)", DISK, [0, "KDMV"]],
  ["a virtual disk (VMDK)", DISK, [0, "# Disk DescriptorFile"]],
  ["a virtual disk (VHD)", DISK, [0, "conectix"]],
  ["a virtual disk (VHDX)", DISK, [0, "vhdxfile"]],
  ["a virtual disk (VDI)", DISK, [64, [0x7f, 0x10, 0xda, 0xbe]]],
  ["an encrypted disk (LUKS)", "open it with cryptsetup first", [0, "LUKS"]],
  ["a squashfs image", unpack("unsquashfs -d DIR FILE"), [0, "hsqs"]],
  ["a squashfs image", unpack("unsquashfs -d DIR FILE"), [0, "sqsh"]],
  ["a cramfs image", unpack("cramfsck -x DIR FILE"), [0, [
    0x45,
    0x3d,
    0xcd,
    0x28,
  ]]],
  ["an XFS image", DISK, [0, "XFSB"]],
  [
    "an EROFS image",
    unpack("fsck.erofs --extract=DIR FILE"),
    [1024, [0xe2, 0xe1, 0xf5, 0xe0]],
  ],
  ["an F2FS image", DISK, [1024, [0x10, 0x20, 0xf5, 0xf2]]],
  ["an ext2, ext3 or ext4 image", DISK, [1080, [0x53, 0xef]]],
  ["a btrfs image", DISK, [65600, "_BHRfS_M"]],
  ["an ISO image", "bsdtar -cf - @FILE | ciso …", [32769, "CD001"]],
  ["a UDF image", "mount it and give its directory", [32769, "BEA01"]],
  [
    "a SIF image of apptainer",
    unpack("apptainer build --sandbox DIR FILE"),
    [32, "SIF_MAGIC"],
  ],
  ["a disk with partitions (GPT)", DISK, [512, "EFI PART"]],
  ["a disk with partitions, or a boot sector", DISK, [510, [0x55, 0xaa]]],
  ["a program for Windows", "a container needs one for Linux", [0, "MZ"]],
  ["a PDF document", "give a tar or a directory", [0, "%PDF-"]],
  ["a picture", "give a tar or a directory", [0, "\x89PNG\r\n"]],
  ["a picture", "give a tar or a directory", [0, [0xff, 0xd8, 0xff]]],
  ["a Java class", "put it into a directory and give that", [
    0,
    [0xca, 0xfe, 0xba, 0xbe],
  ]],
  ["a bundle of git", "git clone it, and give a directory", [
    0,
    "# v2 git bun",
  ]],
  ["encrypted by age", "age -d FILE | ciso …", [0, "age-encryption.org"]],
  ["encrypted by PGP", "gpg -d FILE | ciso …", [0, "-----BEGIN PGP MESSAGE"]],
];

/** Kinds of text by their beginning, in lower case. */
const TEXTS: readonly (readonly [name: string, remedy: string, RegExp])[] = [
  [
    "a web page",
    "it may be an error page: fetch the file itself",
    /^\s*(<!doctype html|<html)/,
  ],
  [
    "a script",
    "put it into a directory that has its interpreter, and give that",
    /^#!/,
  ],
  [
    "a pointer of Git LFS",
    "git lfs pull fetches the file itself",
    /^version https:\/\/git-lfs/,
  ],
  [
    "a Dockerfile",
    "docker build it, then docker save … | ciso convert",
    /^from /,
  ],
  ["JSON", "give a tar or a directory", /^\s*[{[]/],
];

/**
 * Tells what a file is that is not a tar.
 *
 * @param first Its first bytes, as many as are at hand; 66 KiB are enough for
 * all kinds.
 * @returns `undefined` if it is not known.
 */
export function fileKind(first: Uint8Array): FileKind | undefined {
  const kind = KINDS.find(([, , magic]) => has(first, magic));
  if (kind) return { name: kind[0], remedy: kind[1] };
  const compression = compressionOf(first);
  if (compression) {
    return {
      name: `compressed with ${compression}`,
      remedy: "it is compressed twice: take one compression off first",
    };
  }
  if (first.length === 0) return undefined;
  const text = textOf(first.subarray(0, 512));
  if (text === undefined) return undefined;
  const known = TEXTS.find(([, , form]) => form.test(text.toLowerCase()));
  return known
    ? { name: known[0], remedy: known[1] }
    : { name: "text", remedy: "give a tar or a directory" };
}

function has(first: Uint8Array, [offset, bytes]: Magic): boolean {
  if (first.length < offset + bytes.length) return false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = typeof bytes === "string" ? bytes.charCodeAt(i) : bytes[i]!;
    if (byte >= 0 && first[offset + i] !== byte) return false;
  }
  return true;
}

/** The bytes as text, if they are text. */
function textOf(bytes: Uint8Array): string | undefined {
  // The cut may be inside a character.
  const text = new TextDecoder().decode(bytes).replace(/\ufffd$/, "");
  // deno-lint-ignore no-control-regex
  return /[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]/.test(text) ? undefined : text;
}
