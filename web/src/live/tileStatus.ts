/** What a tile says about its view. An old picture must never pass for a live one. */

import type { Health, Stream } from '../api/types';
import { ago, shortClockTime, span } from '../format/time';
import { rate, STREAM_STATES, troubleOf } from '../format/words';

export interface TileStatus {
  /**
   * `unwell`: pictures come, and something is wrong with them. `recent`: the newest there is of a view that is
   * slow by its nature, such as a page that is loaded each minute; its age stands on it.
   */
  kind: 'live' | 'recent' | 'unwell' | 'old' | 'waiting' | 'bad' | 'off';
  label: string;
  /** Why there are no pictures, in words for people. */
  reason: string | null;
}

export interface TileFacts {
  enabled: boolean;
  stream: Stream;
  health: Health;
  /** When the picture on show was captured; null as long as there is none. */
  pictureMs: number | null;
  shownSinceMs: number;
  /** Why the server shows no pictures of a view that runs, such as too many open streams. */
  refusal: string | null;
  nowMs: number;
}

const PATIENCE_MS = 5000;
const MISSED_PICTURES = 3;
/** Pictures that come less often are told by their age, not by their rate. */
const SLOW_FPS = 0.2;
const UNKNOWN_PERIOD_MS = 60_000;

export function tileStatus({
  enabled,
  stream,
  health,
  pictureMs,
  shownSinceMs,
  refusal,
  nowMs,
}: TileFacts): TileStatus {
  if (!enabled) return { kind: 'off', label: 'Switched off', reason: null };
  const { label, tone } = STREAM_STATES[stream.state];
  if (stream.state === 'idle' || stream.state === 'stopping') return { kind: 'off', label, reason: null };
  if (stream.state === 'connecting') return { kind: 'waiting', label, reason: null };
  if (tone === 'bad') {
    const since = `${stream.state === 'failed' ? 'Failed' : 'Offline'} since ${shortClockTime(stream.since)}`;
    return { kind: 'bad', label: since, reason: stream.reason };
  }
  const fps = stream.fps ?? 1;
  // After the first picture of a slow view, nobody knows yet how often they come.
  const periodMs = fps > 0 ? 1000 / fps : UNKNOWN_PERIOD_MS;
  const patienceMs = Math.max(PATIENCE_MS, MISSED_PICTURES * periodMs);
  if (pictureMs === null) {
    if (refusal !== null) return { kind: 'bad', label: 'Not shown', reason: refusal };
    const waited = nowMs - shownSinceMs > patienceMs;
    return { kind: 'waiting', label: waited ? 'No picture yet' : 'Loading', reason: null };
  }
  const ageMs = nowMs - pictureMs;
  if (ageMs > patienceMs) return { kind: 'old', label: `${span(ageMs)} old`, reason: null };
  const trouble = troubleOf({ enabled, health });
  // A frozen picture is an old one, however often it comes.
  if (trouble) return { kind: health.state === 'frozen' ? 'old' : 'unwell', ...trouble };
  if (fps < SLOW_FPS) return { kind: 'recent', label: ago(pictureMs, nowMs), reason: null };
  return { kind: 'live', label: stream.fps === null ? 'Live' : rate(stream.fps), reason: null };
}
