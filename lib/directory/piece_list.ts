/** A piece of a file that goes into a chunk of a tar. */
export interface Piece {
  /** Offset in the chunk. */
  at: number;
  length: number;
  /** Offset in the file. */
  position: number;
  /** As {@linkcode FileFacts.stamp}. */
  stamp: number;
  /** Some of {@linkcode CHECK}. */
  checks: number;
  /** The file's path for the runtime. */
  path: Uint8Array;
}

/** How a file is checked to be what it was when the tree was walked. */
export const CHECK = {
  /** It is only looked at: nothing of it is read. */
  look: 1,
  before: 2,
  after: 4,
  /** Nobody else can put another file at its path. */
  guarded: 8,
} as const;

/** Where the numbers of a piece are in memory, and its path after them. */
export const PIECE = {
  at: 0,
  length: 4,
  position: 8,
  stamp: 16,
  checks: 20,
  pathLength: 22,
  path: 24,
  /** Bytes before the first piece: where the list ends. */
  first: 4,
} as const;

/** Lists pieces in memory that another thread may read. */
export class PieceList {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #end: number = PIECE.first;

  /** Starts with no piece. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view.setUint32(0, this.#end);
  }

  /** Adds a piece; the path is copied. */
  add({ at, length, position, stamp, checks, path }: Piece): void {
    const view = this.#view;
    const start = this.#end;
    view.setUint32(start + PIECE.at, at);
    view.setUint32(start + PIECE.length, length);
    view.setFloat64(start + PIECE.position, position);
    view.setUint32(start + PIECE.stamp, stamp);
    view.setUint16(start + PIECE.checks, checks);
    view.setUint16(start + PIECE.pathLength, path.length);
    this.#bytes.set(path, start + PIECE.path);
    this.#end = start + PIECE.path + path.length;
    view.setUint32(0, this.#end);
  }
}
