/**
 * The server's clock, as its answers tell it: ages are then right on a device whose own clock is not.
 * `Date` headers have whole seconds, so smaller differences are left alone.
 */

const TOLERANCE_MS = 2000;

let offsetMs = 0;

export function observeServerDate(header: string | null, nowMs = Date.now()): void {
  const serverMs = header === null ? Number.NaN : Date.parse(header);
  if (Number.isNaN(serverMs)) return;
  const seen = serverMs + 500 - nowMs;
  offsetMs = Math.abs(seen) > TOLERANCE_MS ? seen : 0;
}

export function serverNow(nowMs = Date.now()): number {
  return nowMs + offsetMs;
}
