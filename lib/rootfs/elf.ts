/** Machine numbers of the ELF header (System V ABI, `e_machine`). */
const MACHINES: Record<number, { little?: string; big?: string }> = {
  3: { little: "386" },
  20: { big: "ppc" },
  21: { little: "ppc64le", big: "ppc64" },
  22: { big: "s390x" },
  40: { little: "arm", big: "armbe" },
  62: { little: "amd64" },
  183: { little: "arm64", big: "arm64be" },
  243: { little: "riscv64" },
  258: { little: "loong64" },
};

/**
 * Reads the architecture of a program from its ELF header
 * (System V ABI, "ELF Header").
 *
 * @param bytes The file's first bytes; 20 are enough.
 * @returns The architecture in Go's spelling, or `undefined` if the file is no
 * ELF program or its machine is not known.
 */
export function elfArchitecture(bytes: Uint8Array): string | undefined {
  const [a, b, c, d, bits, order] = bytes;
  if (a !== 0x7f || b !== 0x45 || c !== 0x4c || d !== 0x46) return undefined;
  if (bytes.length < 20) return undefined;
  const little = order === 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = view.getUint16(18, little);
  // MIPS and RISC-V share one number for 32 and 64 bits.
  if (machine === 8) {
    return `mips${bits === 2 ? "64" : ""}${little ? "le" : ""}`;
  }
  if (machine === 243 && bits !== 2) return undefined;
  return MACHINES[machine]?.[little ? "little" : "big"];
}
