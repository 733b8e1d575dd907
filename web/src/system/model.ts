/** The program as a whole, in the words of the page. */

import type { components } from '../api/schema';
import { isRecord } from '../api/errors';
import type { Job } from '../api/types';
import { millis } from '../format/time';
import type { StateWords } from '../format/words';

export type SystemReport = components['schemas']['SystemView'];
export type Disk = NonNullable<SystemReport['disk']>;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `3.4 GB`: as disks are sold, by thousands. */
export function bytes(count: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

export const DISK_STATES: Record<Disk['state'], StateWords> = {
  ok: { label: 'Has room', tone: 'ok' },
  warning: { label: 'Nearly full', tone: 'wait' },
  full: { label: 'Full: nothing more is stored', tone: 'bad' },
};

export function fillingInWords(days: number | null): string {
  if (days === null) return 'It does not fill, as far as is known.';
  if (days < 1) return 'Full in less than a day at this rate.';
  return `Full in about ${Math.round(days)} ${Math.round(days) === 1 ? 'day' : 'days'} at this rate.`;
}

const COUNTED: Record<string, string> = {
  templates: 'Sources',
  artifacts: 'Stored pictures and files',
  captures: 'Captures',
  events: 'Events',
  alerts: 'Alerts',
};

/** What is kept and how much of it; what only the program cares about is left out. */
export function countsOf({ counts }: SystemReport): { label: string; count: number }[] {
  return Object.entries(COUNTED).flatMap(([name, label]) => {
    const count = counts[name];
    return count === undefined ? [] : [{ label, count }];
  });
}

export interface BackupFile {
  artifactId: string;
  sizeBytes: number | null;
  madeAt: string;
  expiresAt: string;
  withArtifacts: boolean;
  /** What became of passwords: `none` there are, `sealed`, or `left out`. */
  secrets: string;
}

/** The file a backup job made, as long as it can be fetched. */
export function fileOf(job: Job, nowMs: number): BackupFile | null {
  const result = job.kind === 'backup' && job.status === 'success' ? job.result : null;
  if (!isRecord(result) || typeof result.artifact_id !== 'string') return null;
  const { artifact_id: artifactId, size_bytes: size, expires_at: expiresAt, secrets } = result;
  if (typeof expiresAt !== 'string' || millis(expiresAt) <= nowMs) return null;
  return {
    artifactId,
    sizeBytes: typeof size === 'number' ? size : null,
    madeAt: job.ended_at ?? job.created_at,
    expiresAt,
    withArtifacts: result.with_artifacts === true,
    secrets: typeof secrets === 'string' ? secrets : 'none',
  };
}

/** `1.2 MB, without pictures, passwords left out`. */
export function holdsInWords({ sizeBytes, withArtifacts, secrets }: BackupFile): string {
  const size = sizeBytes === null ? [] : [bytes(sizeBytes)];
  const words = secrets === 'none' ? [] : [`passwords ${secrets}`];
  return [...size, withArtifacts ? 'with pictures' : 'without pictures', ...words].join(', ');
}
