/** Where that is to be found which a finished job has made. */

import { isRecord } from '../api/errors';
import { pictureUrl } from '../api/pictures';
import type { Job } from '../api/types';
import { fileOf } from '../system/model';

export type Outcome =
  { type: 'export'; jobId: string } | { type: 'file'; label: string; address: string; download: boolean };

/** Null when it made nothing, or that is gone. Backups are for admins. */
export function outcomeOf(job: Job, nowMs: number, isAdmin: boolean): Outcome | null {
  if (job.status !== 'success' || !isRecord(job.result)) return null;
  const { artifact_id: artifactId } = job.result;
  if (typeof artifactId !== 'string') return null;
  switch (job.kind) {
    case 'export':
      return { type: 'export', jobId: job.id };
    case 'capture':
      return { type: 'file', label: 'Picture', address: pictureUrl(artifactId), download: false };
    case 'backup':
      if (!isAdmin || fileOf(job, nowMs) === null) return null;
      return {
        type: 'file',
        label: 'Download',
        address: `/api/admin/backup/${artifactId}`,
        download: true,
      };
    default:
      return null;
  }
}
