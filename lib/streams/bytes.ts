const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true });
const latin1 = new TextDecoder("latin1");

const WORD = Int32Array.BYTES_PER_ELEMENT;
/** Bytes from which on it pays to compare words. */
const LONG = 1 << 8;

/** A string's bytes in UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A string's bytes, one for each of its characters (U+0000 to U+00FF). */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A string with one character for each byte: the inverse of `ascii()`. */
export function binary(bytes: Uint8Array): string {
  // TextDecoder's "latin1" is windows-1252, which changes 0x80 to 0x9f.
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** ASCII bytes as a string; quicker than {@linkcode binary}. */
export function asciiText(bytes: Uint8Array): string {
  return latin1.decode(bytes);
}

/** Whether bytes are ASCII. */
export function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! >= 0x80) return false;
  return true;
}

/** Whether bytes are well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  // Most are, and a decoder takes longer.
  if (isAscii(bytes)) return true;
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** All parts in one new array. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The order of two byte strings: that of their first bytes that differ. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let i = a.length < LONG ? 0 : equalWords(a, b);
  for (; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** How many bytes are the same at the start, as far as words show. */
function equalWords(a: Uint8Array, b: Uint8Array): number {
  if ((a.byteOffset | b.byteOffset) % WORD !== 0) return 0;
  const length = Math.floor(a.length / WORD);
  const one = new Int32Array(a.buffer, a.byteOffset, length);
  const two = new Int32Array(b.buffer, b.byteOffset, length);
  let i = 0;
  while (i < length && one[i] === two[i]) i++;
  return i * WORD;
}

/** Whether `bytes` starts with `start`. */
export function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.length < start.length) return false;
  for (let i = 0; i < start.length; i++) {
    if (bytes[i] !== start[i]) return false;
  }
  return true;
}
