/** Jobs in the words of the page. */

import type { Job, JobStatus } from '../api/types';
import { duration, millis } from '../format/time';
import type { StateWords } from '../format/words';

const KINDS: Record<string, string> = {
  capture: 'Capture',
  deliver: 'Alert to a channel',
  probe: 'Test of an address',
  retention: 'Clearing what is old',
  move: 'Moving to another store',
  backup: 'Backup',
  export: 'Film or archive',
};

export const JOB_KINDS = Object.keys(KINDS);

export const JOB_STATES: Record<JobStatus, StateWords> = {
  pending: { label: 'Waiting', tone: 'wait' },
  running: { label: 'Running', tone: 'ok' },
  success: { label: 'Done', tone: 'ok' },
  failure: { label: 'Failed', tone: 'bad' },
  cancelled: { label: 'Cancelled', tone: 'off' },
  skipped: { label: 'Nothing to do', tone: 'off' },
  dead: { label: 'Given up', tone: 'bad' },
};

export function jobKind(kind: string): string {
  return KINDS[kind] ?? kind;
}

export function isUnderWay({ status }: Pick<Job, 'status'>): boolean {
  return status === 'pending' || status === 'running';
}

export function mayRepeat({ status }: Pick<Job, 'status'>): boolean {
  return status === 'failure' || status === 'dead' || status === 'cancelled';
}

export function jobState(job: Pick<Job, 'status' | 'cancel_requested'>): StateWords {
  return isUnderWay(job) && job.cancel_requested
    ? { label: 'Being cancelled', tone: 'wait' }
    : JOB_STATES[job.status];
}

/** How long it took, or has taken so far; null before it begins. */
export function jobDuration({ started_at, ended_at }: Job, nowMs: number): string | null {
  if (started_at === null) return null;
  const tookMs = (ended_at === null ? nowMs : millis(ended_at)) - millis(started_at);
  return tookMs < 1000 ? 'under 1 s' : duration(tookMs);
}
