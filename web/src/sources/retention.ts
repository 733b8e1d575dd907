/** How long what one source gives is kept, as its form holds it; empty: as for all sources. */

import type { components } from '../api/schema';
import type { Template } from '../api/types';
import type { Errors } from '../forms/schema';

type Policy = components['schemas']['RetentionPolicy'];
type ThinTo = NonNullable<Policy['thin_to']>;

export interface RetentionValues {
  days: string;
  count: string;
  gigabytes: string;
  thinTo: ThinTo | '';
  thinAfterDays: string;
}

export const THINNINGS = [
  { value: '', label: 'As for all sources' },
  { value: 'hour', label: 'Keep one picture an hour' },
  { value: 'day', label: 'Keep one picture a day' },
] as const;

export const RETENTION_POINTERS = [
  'retention/max_age_days',
  'retention/max_count',
  'retention/max_bytes',
  'retention/thin_to',
  'retention/thin_after_days',
];

const GB = 1e9;
const LONGEST_DAYS = 36_500;

export function retentionValues({ retention }: Partial<Pick<Template, 'retention'>>): RetentionValues {
  const shown = (value: number | null | undefined) =>
    value === null || value === undefined ? '' : String(value);
  const limit = retention?.max_bytes ?? null;
  return {
    days: shown(retention?.max_age_days),
    count: shown(retention?.max_count),
    gigabytes: shown(limit === null ? null : limit / GB),
    thinTo: retention?.thin_to ?? '',
    thinAfterDays: shown(retention?.thin_after_days),
  };
}

/** Null when nothing is set: the source is kept as all are. */
export function retentionBody(values: RetentionValues): Policy | null {
  const number = (typed: string, unit = 1) => (typed.trim() === '' ? null : Math.round(Number(typed) * unit));
  const policy = {
    max_age_days: number(values.days),
    max_count: number(values.count),
    max_bytes: number(values.gigabytes, GB),
    thin_to: values.thinTo === '' ? null : values.thinTo,
    thin_after_days: number(values.thinAfterDays),
  };
  return Object.values(policy).some((value) => value !== null) ? policy : null;
}

/** What the server would refuse, by its pointers. */
export function checkRetention({ days, count, gigabytes, thinAfterDays }: RetentionValues): Errors {
  return {
    ...(!isWhole(days, LONGEST_DAYS) && {
      'retention/max_age_days': `Whole days, from 1 to ${LONGEST_DAYS}.`,
    }),
    ...(!isWhole(count, 1e9) && { 'retention/max_count': 'A whole number, from 1 to a thousand million.' }),
    ...(!isSize(gigabytes) && { 'retention/max_bytes': 'More than nothing, and at most a million GB.' }),
    ...(!isWhole(thinAfterDays, LONGEST_DAYS) && {
      'retention/thin_after_days': `Whole days, from 1 to ${LONGEST_DAYS}.`,
    }),
  };
}

/** In two or three words, for where the section is folded. */
export function retentionInWords({ days, count, gigabytes, thinTo }: RetentionValues): string | undefined {
  if (days.trim() !== '') return `${days.trim()} ${days.trim() === '1' ? 'day' : 'days'}`;
  return [count, gigabytes, thinTo].some((value) => value.trim() !== '') ? 'Own limits' : undefined;
}

function isWhole(typed: string, most: number): boolean {
  const value = Number(typed);
  return typed.trim() === '' || (Number.isInteger(value) && value >= 1 && value <= most);
}

function isSize(typed: string): boolean {
  const value = Number(typed);
  return typed.trim() === '' || (value * GB >= 1 && value <= 1e6);
}
