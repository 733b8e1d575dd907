import { useMutation, useQuery } from '@tanstack/react-query';
import { Check, Circle, Loader, Minus, X, type LucideIcon } from 'lucide-react';
import { useState, type SubmitEvent } from 'react';
import { explain } from '../api/errors';
import type { Job, Kind } from '../api/types';
import { Picture } from '../events/Picture';
import { FormError, TextField } from '../forms/Input';
import type { Values } from '../forms/schema';
import {
  configOf,
  factsOf,
  foundBy,
  hasEnded,
  nextAsk,
  progressOf,
  readJob,
  startProbe,
  STEPS,
  type Progress,
} from './probe';

interface Props {
  kinds: readonly Kind[];
  /** The person takes what was found. */
  onTake: (kind: string, config: Values) => void;
}

/** Takes an address, finds out what it is, and shows a picture of it. */
export function ProbePanel({ kinds, onTake }: Props) {
  const [address, setAddress] = useState('');
  const [tried, setTried] = useState('');
  const probe = useMutation({ mutationFn: startProbe });
  const job = useQuery({
    queryKey: ['probe', probe.data],
    queryFn: () => readJob(probe.data ?? ''),
    enabled: probe.data !== undefined,
    refetchInterval: ({ state }) => nextAsk(state.data),
    gcTime: 0,
  });
  const busy = probe.isPending || (probe.isSuccess && !job.isError && !hasEnded(job.data));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(address);
    probe.mutate(address);
  };
  const failure = probe.error ?? job.error;
  return (
    <section aria-labelledby="probe" className="card mx-4 mb-6 max-w-[560px] p-4 md:mx-6">
      <h2 id="probe" className="mb-3 text-sm font-medium">
        Paste an address to begin
      </h2>
      <form noValidate className="space-y-3" onSubmit={submit}>
        <TextField
          label="Address to try"
          placeholder="rtsp://192.168.1.20/stream1"
          hint="Of a camera, a page, a picture, a document or a video; or the path of a file on the server."
          autoComplete="off"
          spellCheck={false}
          maxLength={4096}
          value={address}
          onChange={setAddress}
        />
        <button type="submit" className="btn" disabled={busy || address.trim() === ''}>
          {busy ? 'Trying…' : 'Try it'}
        </button>
      </form>
      <div aria-live="polite">
        {failure !== null && <FormError>{explain(failure)}</FormError>}
        {probe.isSuccess && !job.isError && <Steps job={job.data} typed={tried} />}
        <Outcome job={job.data} kinds={kinds} onTake={(kind, config) => onTake(kind, config)} typed={tried} />
      </div>
    </section>
  );
}

const LOOKS: Record<Progress, { icon: LucideIcon; className: string; said: string }> = {
  waiting: { icon: Circle, className: 'text-faint', said: 'waits' },
  doing: { icon: Loader, className: 'animate-spin text-accent motion-reduce:animate-none', said: 'now' },
  done: { icon: Check, className: 'text-ok', said: 'done' },
  failed: { icon: X, className: 'text-danger', said: 'failed' },
  left: { icon: Minus, className: 'text-faint', said: 'left out' },
};

/** A file of the server has no name to look up, and nothing to connect to. */
function Steps({ job, typed }: { job: Job | undefined; typed: string }) {
  const progress = progressOf(job);
  return (
    <ol className="mt-4 space-y-1.5 text-sm">
      {STEPS.map(({ name, doing, done }, index) => {
        if (!typed.includes('://') && (name === 'resolve' || name === 'connect')) return null;
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

interface OutcomeProps extends Props {
  job: Job | undefined;
  typed: string;
}

function Outcome({ job, kinds, onTake, typed }: OutcomeProps) {
  const found = foundBy(job);
  if (found === null) {
    return job !== undefined && hasEnded(job) && job.status !== 'success' ? (
      <div className="mt-4">
        <FormError>{job.error ?? 'It could not be tried.'}</FormError>
      </div>
    ) : null;
  }
  const kind = kinds.find((one) => one.kind === found.kind);
  return (
    <div className="mt-4 overflow-hidden rounded-xl border border-line">
      <Picture artifactId={found.artifactId} alt="What this address shows" boxes={[]} />
      <div className="flex flex-wrap items-center gap-3 p-3">
        <p className="mr-auto text-sm">
          <span className="block font-medium">{kind?.title ?? found.kind}</span>
          <span className="num block text-dim">{factsOf(found)}</span>
        </p>
        <button
          type="button"
          className="btn btn-primary"
          onClick={() => onTake(found.kind, configOf(found, typed))}
        >
          Use this
        </button>
      </div>
    </div>
  );
}
