/** Times for people: relative within a day, exact beyond, always in the viewer's own zone. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const shortClockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const dayFormat = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
const shortDayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const exactFormat = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'full',
  timeStyle: 'medium',
});

export type Moment = string | number;

export function millis(moment: Moment): number {
  return typeof moment === 'number' ? moment : Date.parse(moment);
}

export function clockTime(moment: Moment): string {
  return clockFormat.format(millis(moment));
}

export function shortClockTime(moment: Moment): string {
  return shortClockFormat.format(millis(moment));
}

export function exactTime(moment: Moment): string {
  return exactFormat.format(millis(moment));
}

/** "Today", "Yesterday" or the date. */
export function dayName(moment: Moment, nowMs: number): string {
  const day = localDay(millis(moment));
  if (day === localDay(nowMs)) return 'Today';
  if (day === localDay(nowMs - DAY)) return 'Yesterday';
  return dayFormat.format(millis(moment));
}

/** The calendar day in the viewer's zone, as `YYYY-MM-DD`. */
export function localDay(ms: number): string {
  const date = new Date(ms);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => String(part).padStart(2, '0')).join('-');
}

/** The moments at which such a day begins and ends; null for what is no day. */
export function dayBounds(day: string): { from: string; to: string } | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!match) return null;
  const [year, month, date] = match.slice(1).map(Number) as [number, number, number];
  const start = new Date(year, month - 1, date);
  const end = new Date(year, month - 1, date + 1);
  if (localDay(start.getTime()) !== day) return null;
  return { from: start.toISOString(), to: end.toISOString() };
}

/** "now", "12 s ago", "5 min ago", "3 h ago", then the day. */
export function ago(moment: Moment, nowMs: number): string {
  const age = nowMs - millis(moment);
  if (age < 5 * SECOND) return 'now';
  return age < DAY ? `${span(age)} ago` : dayAndClock(moment);
}

export function inFuture(moment: Moment, nowMs: number): string {
  const left = millis(moment) - nowMs;
  if (left < SECOND) return 'now';
  return left < DAY ? `in ${span(left)}` : dayAndClock(moment);
}

export function dayAndClock(moment: Moment): string {
  return `${shortDayFormat.format(millis(moment))}, ${shortClockTime(moment)}`;
}

/** A length of time by its largest unit: "850 ms" never, "12 s", "5 min", "3 h", "2 days". */
export function span(ms: number): string {
  if (ms < MINUTE) return `${Math.max(1, Math.round(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  const days = Math.floor(ms / DAY);
  return days === 1 ? '1 day' : `${days} days`;
}

/** How long something took, to the second: "8 s", "2 min 5 s", "1 h 3 min". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / SECOND));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  if (h > 0) return m > 0 ? `${h} h ${m} min` : `${h} h`;
  if (m > 0) return s > 0 ? `${m} min ${s} s` : `${m} min`;
  return `${s} s`;
}
