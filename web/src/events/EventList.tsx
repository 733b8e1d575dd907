import { useVirtualizer } from '@tanstack/react-virtual';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useEffectEvent, useMemo, useRef, useState, type ReactNode } from 'react';
import { pictureUrl } from '../api/pictures';
import type { GlimpserEvent, Template } from '../api/types';
import { clockTime, dayName, localDay, millis, shortClockTime } from '../format/time';
import { eventKind } from '../format/words';
import { eventInWords } from './words';
import { eventIcon } from '../ui/kinds';
import { useStepKeys } from '../ui/keys';
import { useNow } from '../ui/useNow';

interface Props {
  events: readonly GlimpserEvent[];
  templates: readonly Template[];
  openId: string | undefined;
  hasMore: boolean;
  onEnd: () => void;
  empty: ReactNode;
}

type Row = { day: number } | { event: GlimpserEvent } | { more: true };

const HEIGHTS_PX = { day: 38, event: 76, more: 48 };
const OVERSCAN = 8;
const NEAR_END = 12;

/** Days and events in one column, of which only the visible part is in the page. */
export function EventList({ events, templates, openId, hasMore, onEnd, empty }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const now = useNow();
  const rows = useMemo(() => rowsOf(events, hasMore), [events, hasMore]);
  const names = useMemo(() => new Map(templates.map(({ id, name }) => [id, name])), [templates]);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => heightOf(rows[index]),
    overscan: OVERSCAN,
  });
  const visible = virtualizer.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  const reachEnd = useEffectEvent(onEnd);
  useEffect(() => {
    if (hasMore && last >= rows.length - NEAR_END) reachEnd();
  }, [hasMore, last, rows.length]);

  useStepKeys((by) => {
    const at = events.findIndex(({ id }) => id === openId);
    const next = events[at === -1 ? 0 : at + by];
    if (!next) return;
    virtualizer.scrollToIndex(rows.findIndex((row) => 'event' in row && row.event === next));
    void navigate({ to: '/events/$eventId', params: { eventId: next.id }, search: true, replace: true });
  });

  if (events.length === 0) return <div className="card h-full overflow-auto">{empty}</div>;
  return (
    <div
      ref={box}
      role="group"
      aria-label="Events, newest first"
      className="card h-full overflow-auto overscroll-contain"
    >
      <div className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {visible.map((item) => (
          <div
            key={item.key}
            className="absolute inset-x-0 top-0"
            style={{ transform: `translateY(${item.start}px)`, height: item.size }}
          >
            <RowView row={rows[item.index]} names={names} openId={openId} nowMs={now} />
          </div>
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  row: Row | undefined;
  names: ReadonlyMap<string, string>;
  openId: string | undefined;
  nowMs: number;
}

function RowView({ row, names, openId, nowMs }: RowProps) {
  if (!row) return null;
  if ('more' in row) return <p className="p-4 text-sm text-dim">Loading earlier events…</p>;
  if ('day' in row) {
    return (
      <h2 className="flex h-full items-end border-b border-line px-4 pb-1.5 text-xs font-medium text-dim">
        {dayName(row.day, nowMs)}
      </h2>
    );
  }
  return (
    <EventRow event={row.event} name={names.get(row.event.template_id)} isOpen={row.event.id === openId} />
  );
}

interface EventRowProps {
  event: GlimpserEvent;
  name: string | undefined;
  isOpen: boolean;
  /** On the source's own page its name need not be repeated. */
  isBare?: boolean;
}

export function EventRow({ event, name, isOpen, isBare = false }: EventRowProps) {
  const { icon: Icon, colour } = eventIcon(event.kind);
  return (
    <Link
      to="/events/$eventId"
      params={{ eventId: event.id }}
      search={true}
      preload={false}
      aria-current={isOpen || undefined}
      className={`flex h-full items-center gap-3 border-b border-line px-3 transition-colors hover:bg-raised focus-visible:-outline-offset-2 ${isOpen ? 'bg-raised' : ''}`}
    >
      <Thumbnail event={event} />
      <span className="min-w-0 flex-1">
        <span className="flex items-center gap-1.5 text-xs text-dim">
          <Icon aria-hidden className={`size-3.5 shrink-0 ${colour}`} />
          <span className="shrink-0">{eventKind(event.kind)}</span>
          {name !== undefined && !isBare && (
            <>
              <span aria-hidden>·</span>
              <span className="truncate">{name}</span>
            </>
          )}
        </span>
        <span className="line-clamp-2 text-sm sm:line-clamp-1">{eventInWords(event, name)}</span>
      </span>
      <time dateTime={event.started_at} className="shrink-0 self-start pt-3.5 text-xs text-dim">
        <span className="sm:hidden">{shortClockTime(event.started_at)}</span>
        <span className="max-sm:hidden">{clockTime(event.started_at)}</span>
      </time>
    </Link>
  );
}

function Thumbnail({ event }: { event: GlimpserEvent }) {
  const { icon: Icon } = eventIcon(event.kind);
  // While something moves, the picture of a higher peak replaces this one.
  const [lostId, setLostId] = useState<string | null>(null);
  const place = 'h-14 w-[100px] shrink-0 rounded';
  if (event.artifact_id === null || event.artifact_id === lostId) {
    return (
      <span className={`${place} media grid place-items-center`}>
        <Icon aria-hidden className="size-5 text-white/50" />
      </span>
    );
  }
  return (
    <img
      src={pictureUrl(event.artifact_id, 320)}
      alt=""
      loading="lazy"
      decoding="async"
      width={100}
      height={56}
      className={`${place} media object-cover`}
      onError={() => setLostId(event.artifact_id)}
    />
  );
}

function rowsOf(events: readonly GlimpserEvent[], hasMore: boolean): Row[] {
  const rows: Row[] = [];
  let day = '';
  for (const event of events) {
    const ms = millis(event.started_at);
    if (localDay(ms) !== day) {
      day = localDay(ms);
      rows.push({ day: ms });
    }
    rows.push({ event });
  }
  return hasMore ? [...rows, { more: true }] : rows;
}

function heightOf(row: Row | undefined): number {
  if (!row || 'event' in row) return HEIGHTS_PX.event;
  return 'day' in row ? HEIGHTS_PX.day : HEIGHTS_PX.more;
}
