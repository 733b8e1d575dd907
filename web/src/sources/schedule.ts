/** When a source is captured again and again, as its form holds it. */

import type { QuietHours, Template, TemplateForm } from '../api/types';
import type { Errors } from '../forms/schema';

export interface ScheduleValues {
  /** A cron expression; empty: no schedule. */
  cron: string;
  timezone: string;
  windows: QuietHours[];
  jitterS: string;
  action: 'snapshot' | 'record';
  durationS: string;
  catchUp: 'one' | 'none';
  /** Whether it is watched all the time as well. */
  live: boolean;
}

/** The usual ones; any other is typed. */
export const RHYTHMS = [
  { value: '', label: 'Not by the clock' },
  { value: '*/5 * * * *', label: 'Every 5 minutes' },
  { value: '*/15 * * * *', label: 'Every 15 minutes' },
  { value: '@hourly', label: 'Every hour' },
  { value: '0 8 * * *', label: 'Every day at 08:00' },
  { value: '0 2 * * mon', label: 'Every Monday at 02:00' },
] as const;

export const ACTIONS = [
  { value: 'snapshot', label: 'Take a picture' },
  { value: 'record', label: 'Watch for a while, with motion looked for' },
] as const;

export const CATCH_UPS = [
  { value: 'one', label: 'Do one for all that were missed' },
  { value: 'none', label: 'Leave them out' },
] as const;

export function newSchedule(timezone: string): ScheduleValues {
  return {
    cron: '',
    timezone,
    windows: [],
    jitterS: '0',
    action: 'snapshot',
    durationS: '60',
    catchUp: 'one',
    live: true,
  };
}

type Stored = Pick<
  Template,
  'schedule' | 'timezone' | 'schedule_windows' | 'jitter_ms' | 'action' | 'duration_s' | 'catch_up' | 'live'
>;

/** Where nothing was set the clock is that of the viewer, as a new source has it. */
export function scheduleValues(template: Stored, timezone: string): ScheduleValues {
  return {
    cron: template.schedule ?? '',
    timezone: template.schedule === null ? timezone : template.timezone,
    windows: template.schedule_windows,
    jitterS: String(template.jitter_ms / 1000),
    action: template.action,
    durationS: String(template.duration_s ?? 60),
    catchUp: template.catch_up,
    live: template.live,
  };
}

export function scheduleBody(values: ScheduleValues): Pick<TemplateForm, keyof Stored> {
  const cron = values.cron.trim();
  return {
    schedule: cron === '' ? null : cron,
    timezone: values.timezone,
    schedule_windows: values.windows,
    jitter_ms: Math.round(Number(values.jitterS) * 1000),
    action: values.action,
    duration_s: values.action === 'record' ? Number(values.durationS) : null,
    catch_up: values.catchUp,
    live: values.live,
  };
}

export const SCHEDULE_POINTERS = [
  'schedule',
  'timezone',
  'schedule_windows',
  'jitter_ms',
  'action',
  'duration_s',
  'catch_up',
  'live',
];

/** What the server could not read as numbers. */
export function checkSchedule({ cron, jitterS, action, durationS }: ScheduleValues): Errors {
  if (cron.trim() === '') return {};
  const jitter = Number(jitterS);
  const duration = Number(durationS);
  const lasts = action === 'record';
  return {
    ...(!(jitter >= 0 && jitter <= 3600) && { jitter_ms: 'From 0 to 3600 seconds.' }),
    ...(lasts && !(duration >= 1 && duration <= 86_400) && { duration_s: 'From 1 to 86400 seconds.' }),
  };
}

export function isUsual(cron: string): boolean {
  return RHYTHMS.some(({ value }) => value === cron);
}
