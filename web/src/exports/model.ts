/** Films and archives of stored pictures, in the words of the page. */

import type { components } from '../api/schema';
import type { Template } from '../api/types';
import type { Errors } from '../forms/schema';
import { dayAndClock } from '../format/time';
import { plural } from '../format/words';

export type Export = components['schemas']['ExportView'];
export type ExportKind = Export['kind'];
type Form = components['schemas']['ExportForm'];

export const EXPORT_KINDS: Record<ExportKind, { label: string; hint: string }> = {
  timelapse: { label: 'Timelapse', hint: 'The time of a source run together into a short film.' },
  video: { label: 'Video', hint: 'The pictures of a source at their true pace, a week at most.' },
  zip: { label: 'ZIP archive', hint: 'All pictures as they were stored, with an index.' },
  teaser: { label: 'Teaser', hint: 'The newest moments of each source of a group, joined.' },
};

export interface ExportValues {
  kind: ExportKind;
  /** `source:` and an id, or `group:` and a name. */
  subject: string;
  /** Local times as `datetime-local` has them. */
  from: string;
  to: string;
  lengthS: string;
  showTime: boolean;
}

const DAY_MS = 86_400_000;

export function newExport(nowMs: number, subject = ''): ExportValues {
  const [from, to] = [localMinute(nowMs - DAY_MS), localMinute(nowMs)];
  return { kind: 'timelapse', subject, from, to, lengthS: '30', showTime: true };
}

export interface Subject {
  value: string;
  label: string;
}

/** What an export of that kind can be of. */
export function subjectsFor(kind: ExportKind, templates: readonly Template[]): Subject[] {
  const sources = templates.map(({ id, name }) => ({ value: `source:${id}`, label: name }));
  const names = [...new Set(templates.flatMap(({ groups }) => groups))].sort();
  const groups = names.map((name) => ({ value: `group:${name}`, label: `Group ${name}` }));
  if (kind === 'teaser') return groups;
  return kind === 'zip' ? [...sources, ...groups] : sources;
}

export const hasLength = (kind: ExportKind) => kind === 'timelapse' || kind === 'teaser';

export function exportBody({ kind, subject, from, to, lengthS, showTime }: ExportValues): Form {
  const [what, ...rest] = subject.split(':');
  const name = rest.join(':');
  const body = {
    kind,
    ...(what === 'group' ? { group: name } : { template_id: name }),
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    ...(hasLength(kind) && { length_s: Number(lengthS) }),
    ...(kind !== 'zip' && { show_time: showTime }),
  };
  return body as Form;
}

export function checkExport({ kind, subject, from, to, lengthS }: ExportValues): Errors {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const length = Number(lengthS);
  return {
    ...(subject === '' && { subject: 'Choose what it is of.' }),
    ...(Number.isNaN(start) && { from: 'A day and a time are needed.' }),
    ...(Number.isNaN(end) && { to: 'A day and a time are needed.' }),
    ...(start >= end && { from: 'This is not before the end.' }),
    ...(hasLength(kind) && !(length >= 1 && length <= 600) && { length_s: 'From 1 to 600 seconds.' }),
  };
}

/** `21 Nov, 10:00 – 22 Nov, 10:00`. */
export function periodOf({ from, to }: Export): string {
  return `${dayAndClock(from)} – ${dayAndClock(to)}`;
}

/** What the file holds, and what of the time is not in it. */
export function contentsOf({ result }: Export): string | null {
  const numberOf = (name: string) => (typeof result?.[name] === 'number' ? result[name] : 0);
  if (result === null || numberOf('pictures') === 0) return null;
  const gone = numberOf('missing') + numberOf('damaged');
  const lost = gone === 0 ? '' : `; ${gone.toLocaleString('en')} could not be read`;
  return `${plural(numberOf('pictures'), 'picture')}${lost}`;
}

export function isPlayable({ artifact_id: id, media_type: type }: Export): boolean {
  return id !== null && type?.startsWith('video/') === true;
}

export function fileAddress({ id }: Export): string {
  return `/api/exports/${id}/file`;
}

/** `2026-11-22T10:05`, on the clock of the viewer. */
function localMinute(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}

/** Whether an export still changes by itself. */
export function isUnderWay({ status }: Pick<Export, 'status'>): boolean {
  return status === 'pending' || status === 'running';
}
