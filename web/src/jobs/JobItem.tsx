import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RotateCcw, X } from 'lucide-react';
import { api, bodyOf } from '../api/client';
import { explain } from '../api/errors';
import type { Job } from '../api/types';
import { percent } from '../format/words';
import { useMay } from '../session';
import { Ago, State } from '../ui/parts';
import { toast } from '../ui/toasts';
import { useNow } from '../ui/useNow';
import { outcomeOf } from './outcome';
import { jobKeys, noteJob } from './queries';
import { isUnderWay, jobDuration, jobKind, jobState, mayRepeat } from './words';

interface Props {
  job: Job;
  /** The name of the source it is about, if that is known. */
  source: string | undefined;
}

/** One job in a list: what it is about, how far it has come, and what can be done about it. */
export function JobItem({ job, source }: Props) {
  const took = jobDuration(job, useNow());
  return (
    <li className="flex items-start gap-3 border-b border-line px-4 py-3 text-sm last:border-0">
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">
          {jobKind(job.kind)}
          {job.template_id !== null && source !== undefined && (
            <>
              {' · '}
              <Link
                to="/sources/$sourceId"
                params={{ sourceId: job.template_id }}
                className="rounded font-normal text-dim underline underline-offset-2 hover:text-ink"
              >
                {source}
              </Link>
            </>
          )}
        </p>
        <p className="num flex flex-wrap gap-x-3 text-xs text-dim">
          <State {...jobState(job)} />
          {took !== null && <span>{took}</span>}
          {job.attempts > 1 && <span>attempt {`${job.attempts} of ${job.max_attempts}`}</span>}
          <Ago at={job.started_at ?? job.created_at} />
          <OutcomeLink job={job} />
        </p>
        {job.status === 'running' && <JobBar job={job} />}
        {job.error !== null && <p className="mt-1 text-xs break-words text-dim">{job.error}</p>}
      </div>
      <JobActions job={job} />
    </li>
  );
}

/** Leads to what the job has made. */
function OutcomeLink({ job }: { job: Job }) {
  const outcome = outcomeOf(job, useNow(), useMay('admin'));
  const className = 'rounded text-accent underline underline-offset-2';
  if (outcome === null) return null;
  if (outcome.type === 'export') {
    return (
      <Link to="/exports" hash={outcome.jobId} className={className}>
        Show it
      </Link>
    );
  }
  const { label, address, download } = outcome;
  return (
    <a
      href={address}
      className={className}
      {...(download ? { download: true } : { target: '_blank', rel: 'noreferrer' })}
    >
      {label}
    </a>
  );
}

/** Without a number from the server the bar says only that something goes on. */
export function JobBar({ job: { kind, progress, step } }: { job: Pick<Job, 'kind' | 'progress' | 'step'> }) {
  return (
    <div className="mt-1.5 flex items-center gap-3 text-xs text-dim">
      <progress
        aria-label={`Progress of ${jobKind(kind).toLowerCase()}`}
        className="h-1.5 w-40 max-w-full"
        {...(progress !== null && { value: progress })}
      />
      {progress !== null && <span className="num">{percent(progress)}</span>}
      {step !== null && <span className="truncate">{step}</span>}
    </div>
  );
}

function JobActions({ job }: { job: Job }) {
  const queryClient = useQueryClient();
  const params = { path: { job_id: job.id } };
  const options = {
    onSuccess: (changed: Job) => noteJob(queryClient, changed),
    onError: (error: unknown) => toast(explain(error), 'bad'),
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobKeys.all }),
  };
  const cancel = useMutation({
    mutationFn: () => bodyOf(api.POST('/api/admin/jobs/{job_id}/cancel', { params })),
    ...options,
  });
  const retry = useMutation({
    mutationFn: () => bodyOf(api.POST('/api/admin/jobs/{job_id}/retry', { params })),
    ...options,
  });
  if (isUnderWay(job)) {
    return (
      <button
        type="button"
        className="btn"
        disabled={job.cancel_requested || cancel.isPending}
        onClick={() => cancel.mutate()}
      >
        <X aria-hidden className="size-4" />
        Cancel
      </button>
    );
  }
  if (!mayRepeat(job)) return null;
  return (
    <button type="button" className="btn" disabled={retry.isPending} onClick={() => retry.mutate()}>
      <RotateCcw aria-hidden className="size-4" />
      Try again
    </button>
  );
}
