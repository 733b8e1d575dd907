import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowLeft, Link2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { isStatus } from '../api/errors';
import { eventQuery, templatesQuery } from '../api/queries';
import type { GlimpserEvent } from '../api/types';
import { boxesOf } from '../events/boxes';
import { Picture } from '../events/Picture';
import { clockTime, dayAndClock, duration, exactTime, millis } from '../format/time';
import { eventKind, LEVELS, percent } from '../format/words';
import { eventIcon } from '../ui/kinds';
import { Ago, Failure, useTitle } from '../ui/parts';
import { toast } from '../ui/toasts';
import { NotFoundPage } from './NotFound';

const route = getRouteApi('/shell/events/$eventId');

export function EventDetail() {
  const { eventId } = route.useParams();
  const event = useQuery(eventQuery(eventId));
  if (event.data) return <Detail event={event.data} />;
  if (isStatus(event.error, 404, 422)) return <NotFoundPage />;
  if (event.isError) return <Failure error={event.error} onRetry={() => void event.refetch()} />;
  return <div aria-hidden className="shimmer mt-4 aspect-video rounded-xl lg:mt-0" />;
}

function Detail({ event }: { event: GlimpserEvent }) {
  const templates = useQuery(templatesQuery).data;
  const name = templates?.find(({ id }) => id === event.template_id)?.name;
  const { icon: Icon, colour } = eventIcon(event.kind);
  useTitle(event.message);
  return (
    <article aria-label={event.message}>
      <Link to="/events" search={true} className="btn btn-quiet my-2 -ml-3 lg:hidden">
        <ArrowLeft aria-hidden className="size-4" />
        All events
      </Link>
      <div className="card">
        <Picture
          key={event.artifact_id}
          artifactId={event.artifact_id}
          alt={event.message}
          boxes={boxesOf(event.metadata)}
        />
        <div className="p-4 md:p-5">
          <p className="flex items-center gap-1.5 text-xs text-dim">
            <Icon aria-hidden className={`size-3.5 ${colour}`} />
            {eventKind(event.kind)} · <Ago at={event.started_at} />
          </p>
          <h2 className="mt-1 text-lg font-semibold">{event.message}</h2>
          <dl className="mt-4 grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2 text-sm">
            {name !== undefined && (
              <Fact label="Source">
                <Link
                  to="/sources/$sourceId"
                  params={{ sourceId: event.template_id }}
                  className="rounded text-accent underline underline-offset-2"
                >
                  {name}
                </Link>
              </Fact>
            )}
            <Fact label="Level">{LEVELS[event.level]}</Fact>
            <Score event={event} />
            <Times event={event} />
          </dl>
          <div className="mt-5 flex flex-wrap gap-2">
            <button type="button" className="btn" onClick={() => void copyLink(event.id)}>
              <Link2 aria-hidden className="size-4" />
              Copy link
            </button>
          </div>
        </div>
      </div>
    </article>
  );
}

function Score({ event }: { event: GlimpserEvent }) {
  const score = event.metadata.score;
  if (typeof score !== 'number') return null;
  return (
    <Fact label="Score">{event.kind === 'motion' ? `${percent(score)} of the picture` : percent(score)}</Fact>
  );
}

function Times({ event }: { event: GlimpserEvent }) {
  const { started_at: start, peak_at: peak, ended_at: end } = event;
  const isInstant = end === start;
  if (isInstant) {
    return (
      <Fact label="Time">
        <Clock at={start} withDay />
      </Fact>
    );
  }
  return (
    <>
      <Fact label="Start">
        <Clock at={start} withDay />
      </Fact>
      {peak !== null && (
        <Fact label="Peak">
          <Clock at={peak} />
        </Fact>
      )}
      <Fact label="End">
        {end === null ? (
          <span className="text-motion">Still going on</span>
        ) : (
          <>
            <Clock at={end} /> <span className="text-dim">({duration(millis(end) - millis(start))})</span>
          </>
        )}
      </Fact>
    </>
  );
}

function Clock({ at, withDay = false }: { at: string; withDay?: boolean }) {
  return (
    <time dateTime={at} title={exactTime(at)}>
      {withDay ? `${dayAndClock(at).split(',')[0] ?? ''}, ${clockTime(at)}` : clockTime(at)}
    </time>
  );
}

export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-dim">{label}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}

async function copyLink(id: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(`${location.origin}/events/${id}`);
    toast('Link copied.');
  } catch {
    toast('The browser does not let this page copy; take the address from its bar.', 'bad');
  }
}
