/** How the trial of a source goes, and what came of it. */

import { useMutation, useQuery } from '@tanstack/react-query';
import { Check, Circle, Loader, Minus, X, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { explain } from '../api/errors';
import type { Job, Kind } from '../api/types';
import { Picture } from '../events/Picture';
import { FormError } from '../forms/Input';
import {
  factsOf,
  foundBy,
  hasEnded,
  nextAsk,
  progressOf,
  readJob,
  startProbe,
  STEPS,
  type Asked,
  type Found,
  type Progress,
} from './probe';

/** One trial after the other; the newest is followed. */
export function useProbe() {
  const { mutate, reset, data, error, isPending, isSuccess, variables } = useMutation({
    mutationFn: startProbe,
  });
  const job = useQuery({
    queryKey: ['probe', data],
    queryFn: () => readJob(data ?? ''),
    enabled: data !== undefined,
    refetchInterval: ({ state }) => nextAsk(state.data),
    gcTime: 0,
  });
  return {
    start: mutate,
    reset,
    asked: variables,
    refusal: error,
    failure: error ?? job.error,
    job: isSuccess && !job.isError ? job.data : undefined,
    isFollowed: isSuccess && !job.isError,
    isBusy: isPending || (isSuccess && !job.isError && !hasEnded(job.data)),
  };
}

interface Props {
  probe: ReturnType<typeof useProbe>;
  kinds: readonly Kind[];
  /** What can be done with what was found. */
  action?: (found: Found) => ReactNode;
}

export function ProbeResult({ probe, kinds, action }: Props) {
  const { failure, isFollowed, job, asked } = probe;
  return (
    <div aria-live="polite">
      {failure !== null && (
        <div className="mt-4">
          <FormError>{explain(failure)}</FormError>
        </div>
      )}
      {isFollowed && asked !== undefined && <Steps job={job} asked={asked} />}
      {job !== undefined && <Outcome job={job} kinds={kinds} action={action} />}
    </div>
  );
}

const LOOKS: Record<Progress, { icon: LucideIcon; className: string; said: string }> = {
  waiting: { icon: Circle, className: 'text-faint', said: 'waits' },
  doing: { icon: Loader, className: 'animate-spin text-accent motion-reduce:animate-none', said: 'now' },
  done: { icon: Check, className: 'text-ok', said: 'done' },
  failed: { icon: X, className: 'text-danger', said: 'failed' },
  left: { icon: Minus, className: 'text-faint', said: 'left out' },
};

function Steps({ job, asked }: { job: Job | undefined; asked: Asked }) {
  const progress = progressOf(job);
  return (
    <ol className="mt-4 space-y-1.5 text-sm">
      {STEPS.map(({ name, doing, done }, index) => {
        if (isLeftOut(name, asked)) return null;
        const state = progress[index] ?? 'waiting';
        const { icon: Icon, className, said } = LOOKS[state];
        return (
          <li
            key={name}
            className={`flex items-center gap-2 ${state === 'waiting' || state === 'left' ? 'text-dim' : ''}`}
          >
            <Icon aria-hidden className={`size-4 shrink-0 ${className}`} />
            {state === 'done' ? done : doing}
            <span className="sr-only">: {said}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** A file of the server has no name to look up, and nothing to connect to; a kind that is told is known. */
function isLeftOut(step: string, asked: Asked): boolean {
  if (step === 'recognise') return asked.kind !== undefined;
  const address = asked.url ?? asked.config?.url;
  const isFile = typeof address !== 'string' || !address.includes('://');
  return isFile && (step === 'resolve' || step === 'connect');
}

interface OutcomeProps {
  job: Job;
  kinds: readonly Kind[];
  action: Props['action'];
}

function Outcome({ job, kinds, action }: OutcomeProps) {
  const found = foundBy(job);
  if (found === null) {
    return hasEnded(job) && job.status !== 'success' ? (
      <div className="mt-4">
        <FormError>{job.error ?? 'It could not be tried.'}</FormError>
      </div>
    ) : null;
  }
  const kind = kinds.find((one) => one.kind === found.kind);
  return (
    <div className="mt-4 overflow-hidden rounded-xl border border-line">
      <Picture artifactId={found.artifactId} alt="What it shows now" boxes={[]} />
      <div className="flex flex-wrap items-center gap-3 p-3">
        <p className="mr-auto text-sm">
          <span className="block font-medium">{kind?.title ?? found.kind}</span>
          <span className="num block text-dim">{factsOf(found)}</span>
        </p>
        {action?.(found)}
      </div>
    </div>
  );
}
