/** The server's terms in the words of the page. */

import type { AlertState, Delivery, HealthState, LevelName, StreamState, Template } from '../api/types';

export interface StateWords {
  label: string;
  tone: 'ok' | 'wait' | 'bad' | 'off';
}

export const STREAM_STATES: Record<StreamState, StateWords> = {
  idle: { label: 'Not running', tone: 'off' },
  connecting: { label: 'Connecting', tone: 'wait' },
  live: { label: 'Live', tone: 'ok' },
  degraded: { label: 'Live, skipping pictures', tone: 'wait' },
  stalled: { label: 'No pictures', tone: 'bad' },
  backoff: { label: 'Offline, trying again', tone: 'bad' },
  failed: { label: 'Failed', tone: 'bad' },
  stopping: { label: 'Stopping', tone: 'off' },
};

/** What is wrong with a view whose pictures come. What is wrong with its stream, the stream's state says. */
export const TROUBLES: Partial<Record<HealthState, string>> = {
  frozen: 'Frozen',
  blank: 'Blank picture',
  blocked: 'Blocked by a wall',
  error_page: 'Error page',
  moved: 'Moved or covered',
};

/** What is wrong with a view that is switched on: what it is called, and why. */
export function troubleOf({
  enabled,
  health,
}: Pick<Template, 'enabled' | 'health'>): { label: string; reason: string | null } | null {
  const label = enabled ? TROUBLES[health.state] : undefined;
  return label === undefined ? null : { label, reason: health.reason };
}

export const LEVELS: Record<LevelName, string> = {
  debug: 'Debug',
  info: 'Info',
  warning: 'Warning',
  error: 'Error',
  critical: 'Critical',
};

export const LEVEL_NAMES = Object.keys(LEVELS) as LevelName[];

export const ALERT_STATES: Record<AlertState, string> = {
  open: 'Open',
  acknowledged: 'Acknowledged',
  resolved: 'Resolved',
};

export const DELIVERY_STATES: Record<Delivery['status'], StateWords> = {
  pending: { label: 'Waiting to be sent', tone: 'wait' },
  sending: { label: 'Being sent', tone: 'wait' },
  retrying: { label: 'Failed, will be tried again', tone: 'wait' },
  sent: { label: 'Sent', tone: 'ok' },
  dead: { label: 'Given up', tone: 'bad' },
};

const EVENT_KINDS: Record<string, string> = {
  motion: 'Motion',
  change: 'Change',
  value: 'Value',
  ai: 'Description',
  health: 'Health',
  'capture.finished': 'Capture finished',
  'capture.failed': 'Capture failed',
  test: 'Test',
};

/** The kinds that the filter offers; the server may know more. */
export const FILTER_KINDS = ['motion', 'change', 'health', 'capture.failed'] as const;

export function eventKind(kind: string): string {
  return EVENT_KINDS[kind] ?? kind;
}

export function percent(fraction: number): string {
  const value = fraction * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} %`;
}

export function rate(fps: number): string {
  return fps >= 1 ? `${Math.round(fps)} fps` : `every ${Math.round(1 / fps)} s`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
