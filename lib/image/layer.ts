/** What documents need to know about a layer. */
export interface Layer {
  /** SHA-256 of the uncompressed layer, 64 lower-case hex digits: its diff ID. */
  digest: string;
  /** Size of the layer in bytes. */
  size: number;
}
