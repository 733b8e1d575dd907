import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Outlet, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Activity } from 'lucide-react';
import { eventsQuery, keys, templatesQuery } from '../api/queries';
import type { GlimpserEvent } from '../api/types';
import { EventList } from '../events/EventList';
import { EventFilters } from '../events/EventFilters';
import { useLiveMessages } from '../live/live';
import { Empty, Failure, Head, Skeleton } from '../ui/parts';
import { SplitView } from '../ui/SplitView';

const route = getRouteApi('/shell/events');

export function EventsPage() {
  const search = route.useSearch();
  const open = useParams({ strict: false }).eventId;
  const events = useInfiniteQuery(eventsQuery(search));
  const templates = useQuery(templatesQuery).data ?? [];
  const items = events.data?.pages.flatMap((page) => page.items);
  const isFiltered = Object.keys(search).length > 0;
  const list = items ? (
    <>
      <FreshPill known={items} />
      <EventList
        events={items}
        templates={templates}
        openId={open}
        hasMore={events.hasNextPage}
        onEnd={() => void events.fetchNextPage()}
        empty={<NoEvents isFiltered={isFiltered} />}
      />
    </>
  ) : events.isError ? (
    <Failure error={events.error} onRetry={() => void events.refetch()} />
  ) : (
    <Skeleton rows={8} className="h-[68px] rounded-lg" />
  );
  return (
    <SplitView
      title="Events"
      open={open !== undefined}
      head={
        <Head title="Events">
          <EventFilters templates={templates} />
        </Head>
      }
      list={list}
      detail={
        <>
          <Outlet />
          {open === undefined && items !== undefined && items.length > 0 && (
            <Empty icon={Activity} title="Choose an event">
              Its picture and what is known about it appear here. The keys j and k go through the list.
            </Empty>
          )}
        </>
      }
    />
  );
}

function NoEvents({ isFiltered }: { isFiltered: boolean }) {
  const navigate = route.useNavigate();
  return isFiltered ? (
    <Empty
      icon={Activity}
      title="No event fits this"
      action={
        <button type="button" className="btn" onClick={() => void navigate({ search: {} })}>
          Show all events
        </button>
      }
    />
  ) : (
    <Empty icon={Activity} title="Nothing has happened yet">
      As soon as something moves in front of a camera, it is listed here with a picture.
    </Empty>
  );
}

/** Counts what has happened since the list was read; the list moves only when somebody asks for it. */
function FreshPill({ known }: { known: readonly GlimpserEvent[] }) {
  const queryClient = useQueryClient();
  const search = route.useSearch();
  const [fresh, setFresh] = useState<readonly string[]>([]);
  useLiveMessages((message) => {
    if (message.type !== 'event') return;
    const { id, kind, template_id: source } = message.event;
    const fits = (search.kind ?? kind) === kind && (search.source ?? source) === source;
    if (!fits || fresh.includes(id)) return;
    setFresh([...fresh, id]);
    if (known.length === 0) void queryClient.invalidateQueries({ queryKey: keys.events });
  });
  const count = fresh.filter((id) => !known.some((event) => event.id === id)).length;
  if (count === 0) return null;
  return (
    <button
      type="button"
      className="absolute top-3 left-1/2 z-10 -translate-x-1/2 rounded-full bg-accent px-4 py-1.5 text-xs font-semibold text-on-accent shadow-lg pointer-coarse:py-3.5"
      onClick={() => {
        setFresh([]);
        void queryClient.invalidateQueries({ queryKey: keys.events });
      }}
    >
      {count} new
    </button>
  );
}
