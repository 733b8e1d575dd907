/** Small parts that every page is made of. */

import { TriangleAlert, type LucideIcon } from 'lucide-react';
import { useEffect, type ReactNode } from 'react';
import { explain, isStatus } from '../api/errors';
import { ago, exactTime, millis, type Moment } from '../format/time';
import type { StateWords } from '../format/words';
import { useNow } from './useNow';

export function Head({ title, sub, children }: { title: string; sub?: ReactNode; children?: ReactNode }) {
  useTitle(title);
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-3 px-4 pt-4 pb-3 md:px-6 md:pt-5">
      <div className="mr-auto min-w-0">
        <h1 className="truncate text-xl font-semibold tracking-tight">{title}</h1>
        {sub !== undefined && <p className="num min-h-5 text-sm text-dim">{sub}</p>}
      </div>
      {children}
    </header>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Glimpser`;
  }, [title]);
}

interface EmptyProps {
  /** `h1` where there is no other, as on a page that is nothing else. */
  heading?: 'h1' | 'h2' | 'h3';
  /** For a place within a page. */
  small?: boolean;
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** Says why there is nothing here and what to do about it. */
export function Empty({ heading, icon: Icon, title, children, action, small = false }: EmptyProps) {
  const Heading = heading ?? (small ? 'h3' : 'h2');
  return (
    <div className={`flex flex-col items-center px-6 text-center ${small ? 'py-6' : 'py-16'}`}>
      {!small && (
        <span className="mb-4 grid size-14 place-items-center rounded-full bg-raised text-dim">
          <Icon aria-hidden className="size-6" strokeWidth={1.75} />
        </span>
      )}
      <Heading className={small ? 'text-sm font-medium' : 'text-lg font-semibold'}>{title}</Heading>
      {children !== undefined && <div className="mt-1 max-w-md text-sm text-dim">{children}</div>}
      {action !== undefined && <div className={small ? 'mt-3' : 'mt-5'}>{action}</div>}
    </div>
  );
}

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const role = isStatus(error, 403) ? ' Ask an administrator.' : '';
  return (
    <div role="alert" className="flex flex-col items-center px-6 py-16 text-center">
      <TriangleAlert aria-hidden className="mb-3 size-7 text-danger" />
      <h2 className="text-lg font-semibold">This could not be shown</h2>
      <p className="mt-1 max-w-md text-sm text-dim">
        {explain(error)}
        {role}
      </p>
      {onRetry && (
        <button type="button" className="btn mt-5" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** A row of grey where rows will be. */
export function Skeleton({ rows, className }: { rows: number; className: string }) {
  return (
    <div aria-hidden className="space-y-2">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={`shimmer ${className}`} />
      ))}
    </div>
  );
}

const TONES: Record<StateWords['tone'], string> = {
  ok: 'bg-ok',
  wait: 'bg-motion',
  bad: 'bg-danger',
  off: 'bg-faint',
};

export function State({ label, tone }: StateWords) {
  return (
    <span className="inline-flex items-center gap-2">
      <span aria-hidden className={`size-2 shrink-0 rounded-full ${TONES[tone]}`} />
      <span className={tone === 'bad' ? 'text-danger' : undefined}>{label}</span>
    </span>
  );
}

/** A moment as an age that stays right; the exact time is in the tooltip. */
export function Ago({ at, className }: { at: Moment; className?: string }) {
  const now = useNow();
  return (
    <time dateTime={new Date(millis(at)).toISOString()} title={exactTime(at)} className={className}>
      {ago(at, now)}
    </time>
  );
}

interface SectionProps {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}

/** A titled card. */
export function Section({ title, aside, children }: SectionProps) {
  return (
    <section aria-label={title}>
      <div className="mb-2 flex min-h-6 items-center justify-between gap-3">
        <h2 className="text-sm font-medium">{title}</h2>
        {aside}
      </div>
      <div className="card">{children}</div>
    </section>
  );
}
