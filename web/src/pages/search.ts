/** What addresses may ask for. Everything unknown or senseless is left out, so that old links still open. */

import type { AlertState, JobStatus, LevelName } from '../api/types';
import { dayBounds } from '../format/time';
import { ALERT_STATES, LEVELS } from '../format/words';
import { JOB_STATES } from '../jobs/words';

export interface EventSearch {
  kind?: string;
  source?: string;
  level?: LevelName;
  /** A calendar day in the viewer's zone, `YYYY-MM-DD`. */
  day?: string;
  q?: string;
}

export interface AlertSearch {
  state?: AlertState;
}

export interface AuditSearch {
  actor?: string;
  action?: string;
  /** First and last calendar day in the viewer's zone, `YYYY-MM-DD`. */
  from?: string;
  to?: string;
}

export interface JobSearch {
  kind?: string;
  status?: JobStatus;
  source?: string;
}

export interface ExportSearch {
  /** Begins one of this source at once. */
  source?: string;
}

export interface LiveSearch {
  group?: string;
  dense?: 'yes';
}

export interface LoginSearch {
  next?: string;
}

type Raw = Record<string, unknown>;

export function eventSearch(raw: Raw): EventSearch {
  return defined({
    kind: text(raw, 'kind'),
    source: text(raw, 'source'),
    level: oneOf(text(raw, 'level'), LEVELS),
    day: day(raw, 'day'),
    q: text(raw, 'q'),
  });
}

export function alertSearch(raw: Raw): AlertSearch {
  return defined({ state: oneOf(text(raw, 'state'), ALERT_STATES) });
}

export function auditSearch(raw: Raw): AuditSearch {
  return defined({
    actor: text(raw, 'actor'),
    action: text(raw, 'action'),
    from: day(raw, 'from'),
    to: day(raw, 'to'),
  });
}

export function jobSearch(raw: Raw): JobSearch {
  return defined({
    kind: text(raw, 'kind'),
    status: oneOf(text(raw, 'status'), JOB_STATES),
    source: text(raw, 'source'),
  });
}

export function exportSearch(raw: Raw): ExportSearch {
  return defined({ source: text(raw, 'source') });
}

export function liveSearch(raw: Raw): LiveSearch {
  return defined({ group: text(raw, 'group'), dense: oneOf(text(raw, 'dense'), { yes: true }) });
}

/** Where to go after signing in: a path of this app and never another site. */
export function loginSearch(raw: Raw): LoginSearch {
  const next = text(raw, 'next');
  return defined({ next: next !== undefined && /^\/(?![/\\])/.test(next) ? next : undefined });
}

export function parseSearch(search: string): Raw {
  return Object.fromEntries(new URLSearchParams(search));
}

export function stringifySearch(search: Raw): string {
  const pairs = Object.entries(search).filter(([, value]) => typeof value === 'string');
  const text = new URLSearchParams(pairs as [string, string][]).toString();
  return text ? `?${text}` : '';
}

function text(raw: Raw, name: string): string | undefined {
  const value = raw[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function day(raw: Raw, name: string): string | undefined {
  const value = text(raw, name);
  return value !== undefined && dayBounds(value) ? value : undefined;
}

function oneOf<T extends string>(value: string | undefined, known: Record<T, unknown>): T | undefined {
  return value !== undefined && Object.hasOwn(known, value) ? (value as T) : undefined;
}

function defined<T extends Record<string, unknown>>(search: T): Defined<T> {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Defined<T>;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
