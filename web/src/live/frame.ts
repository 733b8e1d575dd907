/** One binary message of the live socket: `[version u8][id length u8][captured f64 big endian][id][JPEG]`. */

export interface Frame {
  id: string;
  /** When the camera took it, in milliseconds of the server's clock. */
  capturedMs: number;
  jpeg: Uint8Array<ArrayBuffer>;
}

const VERSION = 1;
const HEAD_BYTES = 10;

const decoder = new TextDecoder();

/** Gives null for what is no frame of this version. */
export function parseFrame(buffer: ArrayBuffer): Frame | null {
  if (buffer.byteLength <= HEAD_BYTES) return null;
  const view = new DataView(buffer);
  const idBytes = view.getUint8(1);
  const begin = HEAD_BYTES + idBytes;
  if (view.getUint8(0) !== VERSION || idBytes === 0 || buffer.byteLength <= begin) return null;
  const capturedMs = view.getFloat64(2) * 1000;
  if (!Number.isFinite(capturedMs)) return null;
  return {
    id: decoder.decode(new Uint8Array(buffer, HEAD_BYTES, idBytes)),
    capturedMs,
    jpeg: new Uint8Array(buffer, begin),
  };
}
