import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Cctv, Grid2x2, Grid3x3, Maximize, Plus } from 'lucide-react';
import { useRef, useState, useSyncExternalStore } from 'react';
import { eventsQuery, templatesQuery } from '../api/queries';
import type { Template } from '../api/types';
import { plural, STREAM_STATES } from '../format/words';
import { wallLayout, type Layout } from '../live/layout';
import { LiveTile } from '../live/LiveTile';
import { useMay } from '../session';
import { Empty, Failure, Head } from '../ui/parts';

const route = getRouteApi('/shell/live');

export function LivePage() {
  const { group, dense } = route.useSearch();
  const navigate = route.useNavigate();
  const templates = useQuery(templatesQuery);
  const grid = useRef<HTMLDivElement>(null);
  const all = templates.data;
  const groups = [...new Set(all?.flatMap((template) => template.groups))].sort();
  return (
    <>
      <Head title="Live" sub={all ? <Summary templates={all} /> : ' '}>
        {groups.length > 0 && (
          <div
            role="group"
            aria-label="Group"
            className="order-3 -mx-4 flex w-screen gap-2 overflow-x-auto px-4 md:order-none md:mx-0 md:w-auto md:px-0"
          >
            {[undefined, ...groups].map((name) => (
              <button
                key={name ?? ''}
                type="button"
                className="chip"
                aria-pressed={group === name}
                onClick={() => void navigate({ search: (old) => ({ ...old, group: name }) })}
              >
                {name ?? 'All'}
              </button>
            ))}
          </div>
        )}
        <button
          type="button"
          className="btn btn-icon"
          aria-pressed={dense !== undefined}
          aria-label="Small tiles"
          title="Small tiles"
          onClick={() => void navigate({ search: (old) => ({ ...old, dense: dense ? undefined : 'yes' }) })}
        >
          {dense ? <Grid2x2 aria-hidden className="size-4" /> : <Grid3x3 aria-hidden className="size-4" />}
        </button>
        <button
          type="button"
          className="btn btn-icon max-md:hidden"
          aria-label="Full screen"
          title="Full screen"
          onClick={() => void grid.current?.requestFullscreen()}
        >
          <Maximize aria-hidden className="size-4" />
        </button>
        <AddSource compact />
      </Head>
      {templates.isError && !all && (
        <Failure error={templates.error} onRetry={() => void templates.refetch()} />
      )}
      <div ref={grid} className="overflow-y-auto bg-canvas px-4 pb-6 md:px-6">
        {all ? (
          <Tiles
            templates={all.filter(({ groups: its }) => group === undefined || its.includes(group))}
            dense={dense !== undefined}
          />
        ) : (
          templates.isPending && <TileSkeletons />
        )}
      </div>
    </>
  );
}

function Summary({ templates }: { templates: readonly Template[] }) {
  const enabled = templates.filter((template) => template.enabled);
  const tones = enabled.map(({ stream }) => STREAM_STATES[stream.state].tone);
  const bad = tones.filter((tone) => tone === 'bad').length;
  const live = enabled.filter(({ stream }) => stream.state === 'live' || stream.state === 'degraded').length;
  return (
    <>
      {live} live
      {bad > 0 && (
        <>
          {' · '}
          <span className="text-danger">{bad === 1 ? '1 needs attention' : `${bad} need attention`}</span>
        </>
      )}
      {live === 0 && bad === 0 && templates.length > 0 && ` of ${plural(templates.length, 'source')}`}
    </>
  );
}

function AddSource({ compact = false }: { compact?: boolean }) {
  if (!useMay('admin')) return null;
  return (
    <Link to="/sources/new" className={`btn btn-primary ${compact ? 'max-sm:w-11 max-sm:p-0' : ''}`}>
      <Plus aria-hidden className="size-4" />
      <span className={compact ? 'max-sm:sr-only' : ''}>Add source</span>
    </Link>
  );
}

function Tiles({ templates, dense }: { templates: readonly Template[]; dense: boolean }) {
  const width = useSyncExternalStore(onResize, () => innerWidth);
  const shown = useOrder(templates);
  if (templates.length === 0) return <NoSources />;
  const layout = wallLayout(shown.length, width, dense);
  return (
    <div className={gridClass(layout)} style={gridStyle(layout, shown.length)}>
      {shown.map((template, index) => {
        const hero = layout.hero && index === 0;
        return <LiveTile key={template.id} template={template} hero={hero} fps={dense ? 2 : hero ? 10 : 5} />;
      })}
    </div>
  );
}

function NoSources() {
  const isAdmin = useMay('admin');
  return (
    <Empty icon={Cctv} title="Nothing to watch yet" action={<AddSource />}>
      {isAdmin
        ? 'Add a camera or a video file, and its picture appears here.'
        : 'An administrator can add cameras and video files; their pictures then appear here.'}
    </Empty>
  );
}

function TileSkeletons() {
  return (
    <div aria-hidden className="grid grid-cols-1 gap-2 sm:grid-cols-2">
      {Array.from({ length: 4 }, (_, index) => (
        <div key={index} className="shimmer aspect-video rounded-lg" />
      ))}
    </div>
  );
}

/**
 * Puts the view that moved last first, then the broken ones, then the rest. The order stays as long as the
 * views do: nothing on the wall moves by itself except the pictures.
 */
function useOrder(templates: readonly Template[]): Template[] {
  const { data } = useInfiniteQuery({ ...eventsQuery({ kind: 'motion' }, 20), staleTime: Infinity });
  const lastMoved = data?.pages[0]?.items[0]?.template_id;
  const [order, setOrder] = useState<readonly string[]>([]);
  const ids = templates.map(({ id }) => id);
  const isSame = order.length === ids.length && ids.every((id) => order.includes(id));
  if (!isSame) setOrder(arranged(templates, lastMoved));
  const byId = new Map(templates.map((template) => [template.id, template]));
  return order.flatMap((id) => byId.get(id) ?? []);
}

function arranged(templates: readonly Template[], lastMoved: string | undefined): string[] {
  const rank = ({ id, enabled, stream }: Template) => {
    if (!enabled) return 3;
    if (id === lastMoved && STREAM_STATES[stream.state].tone === 'ok') return 0;
    return STREAM_STATES[stream.state].tone === 'bad' ? 1 : 2;
  };
  return [...templates].sort((a, b) => rank(a) - rank(b)).map(({ id }) => id);
}

function gridClass({ columns }: Layout): string {
  return `mx-auto grid gap-2 ${columns === 1 ? 'max-w-[calc((100dvh-120px)*16/9)] max-sm:max-w-none' : ''}`;
}

/** A wall of up to four fits the window's height. */
function gridStyle({ columns, hero }: Layout, tiles: number): React.CSSProperties {
  const rows = Math.ceil((tiles + (hero ? 3 : 0)) / columns);
  const fits = columns > 1 && rows <= columns && !hero;
  return {
    gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
    ...(fits && { maxWidth: `calc((100dvh - 120px) * 16 / 9 * ${columns} / ${rows})` }),
  };
}

function onResize(listener: () => void): () => void {
  addEventListener('resize', listener);
  return () => removeEventListener('resize', listener);
}
