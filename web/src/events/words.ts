import type { GlimpserEvent } from '../api/types';
import { duration, millis } from '../format/time';
import { eventKind, percent } from '../format/words';

/** What to say of an event beside its kind and its source: its message, unless that only repeats the two. */
export function eventInWords(event: GlimpserEvent, sourceName: string | undefined): string {
  const repeats = event.message === `${eventKind(event.kind)}: ${sourceName ?? ''}`;
  const score = event.metadata.score;
  if (!repeats || typeof score !== 'number') return event.message;
  const { started_at: start, ended_at: end } = event;
  const lastedMs = end === null ? null : millis(end) - millis(start);
  const lasted = lastedMs === null ? 'still going on' : lastedMs < 500 ? null : duration(lastedMs);
  return [`${percent(score)} of the picture`, lasted].filter((part) => part !== null).join(', ');
}
