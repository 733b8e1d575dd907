import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Download, Play, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api } from '../api/client';
import { explain } from '../api/errors';
import { inFuture } from '../format/time';
import { JobBar } from '../jobs/JobItem';
import { jobState } from '../jobs/words';
import { bytes } from '../system/model';
import { Confirm } from '../ui/Dialog';
import { Ago, State } from '../ui/parts';
import { toast } from '../ui/toasts';
import { useNow } from '../ui/useNow';
import {
  contentsOf,
  EXPORT_KINDS,
  fileAddress,
  isPlayable,
  isUnderWay,
  periodOf,
  type Export,
} from './model';
import { exportKeys } from './queries';

interface Props {
  item: Export;
  /** Somebody came here for this one: it is scrolled to and set off. */
  isMeant: boolean;
}

/** One film or archive: how far it is, and then the thing itself. */
export function ExportItem({ item, isMeant }: Props) {
  const [plays, setPlays] = useState(false);
  const now = useNow();
  const { title, kind, status, step, progress, error, size_bytes: size, expires_at: expiresAt } = item;
  const hasFile = item.artifact_id !== null;
  return (
    <li
      ref={isMeant ? scrollTo : undefined}
      aria-current={isMeant || undefined}
      className="scroll-mt-4 border-b border-line p-4 text-sm last:border-0 aria-[current]:bg-accent-soft"
    >
      <div className="flex flex-wrap items-start gap-3">
        <div className="mr-auto min-w-0">
          <h2 className="truncate font-medium">
            {EXPORT_KINDS[kind].label} · {title}
          </h2>
          <p className="num text-xs text-dim">{periodOf(item)}</p>
          <p className="num mt-1 flex flex-wrap gap-x-3 text-xs text-dim">
            {!hasFile && <State {...jobState({ status, cancel_requested: false })} />}
            {size !== null && <span>{bytes(size)}</span>}
            {contentsOf(item) !== null && <span>{contentsOf(item)}</span>}
            {expiresAt !== null && <span>deleted {inFuture(expiresAt, now)}</span>}
            <span>
              {item.origin === 'daily' ? 'made by itself' : 'asked for'} <Ago at={item.created_at} />
            </span>
          </p>
          {isUnderWay(item) && <JobBar job={{ kind: 'export', progress, step }} />}
          {error !== null && <p className="mt-1 text-xs break-words text-danger">{error}</p>}
        </div>
        <div className="flex gap-2">
          {isPlayable(item) && (
            <button type="button" className="btn" aria-expanded={plays} onClick={() => setPlays(!plays)}>
              <Play aria-hidden className="size-4" />
              {plays ? 'Close' : 'Play'}
            </button>
          )}
          {hasFile && (
            <a href={fileAddress(item)} download={item.file_name ?? true} className="btn">
              <Download aria-hidden className="size-4" />
              Download
            </a>
          )}
          <RemoveButton item={item} />
        </div>
      </div>
      {plays && (
        <video
          controls
          autoPlay
          muted
          playsInline
          aria-label={title}
          src={fileAddress(item)}
          className="media mt-3 max-h-[70dvh] w-full rounded-lg"
        />
      )}
    </li>
  );
}

function scrollTo(item: HTMLElement | null): void {
  item?.scrollIntoView({ block: 'center' });
}

function RemoveButton({ item }: { item: Export }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.DELETE('/api/exports/{export_id}', { params: { path: { export_id: item.id } } }),
    onError: (error) => toast(explain(error), 'bad'),
    onSettled: () => queryClient.invalidateQueries({ queryKey: exportKeys.all }),
  });
  const verb = isUnderWay(item) ? 'Break off' : 'Delete';
  return (
    <>
      <button
        type="button"
        className="btn btn-icon"
        aria-label={`${verb} ${item.title}`}
        title={verb}
        onClick={() => setAsking(true)}
      >
        <Trash2 aria-hidden className="size-4" />
      </button>
      {asking && (
        <Confirm
          title={`${verb} ${item.title}?`}
          action={verb}
          busy={remove.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate(undefined, { onSettled: () => setAsking(false) })}
        >
          The pictures it is made of stay.
        </Confirm>
      )}
    </>
  );
}
