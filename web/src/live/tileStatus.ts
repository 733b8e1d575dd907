/** What a tile says about its view. An old picture must never pass for a live one. */

import type { Health, Stream } from '../api/types';
import { shortClockTime, span } from '../format/time';
import { rate, STREAM_STATES, troubleOf } from '../format/words';

export interface TileStatus {
  /** `unwell`: pictures come, and something is wrong with them. */
  kind: 'live' | 'unwell' | 'old' | 'waiting' | 'bad' | 'off';
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
  const patienceMs = Math.max(PATIENCE_MS, (MISSED_PICTURES * 1000) / (stream.fps ?? 1));
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
  return { kind: 'live', label: stream.fps === null ? 'Live' : rate(stream.fps), reason: null };
}
