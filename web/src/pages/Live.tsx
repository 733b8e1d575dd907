import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Cctv, Grid2x2, Grid3x3, Maximize, Plus } from 'lucide-react';
import { useRef, useState, useSyncExternalStore, type CSSProperties } from 'react';
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
  const lastMoved = useLastMoved();
  const all = templates.isPending || lastMoved === undefined ? undefined : templates.data;
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
            lastMoved={lastMoved ?? null}
          />
        ) : (
          !templates.isError && <TileSkeletons />
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

interface TilesProps {
  templates: readonly Template[];
  dense: boolean;
  lastMoved: string | null;
}

function Tiles({ templates, dense, lastMoved }: TilesProps) {
  const width = useSyncExternalStore(onResize, () => innerWidth);
  const height = useSyncExternalStore(onResize, () => innerHeight);
  const shown = useOrder(templates, lastMoved);
  if (templates.length === 0) return <NoSources />;
  const around = width < RAIL_FROM_PX ? AROUND_PHONE : AROUND_DESKTOP;
  const room = { width: width - around.width, height: height - around.height };
  const layout = wallLayout(shown.length, room, dense);
  return (
    <div className="mx-auto grid gap-2" style={gridStyle(layout, shown.length)}>
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

/** Tells which view moved last: undefined until that is known, null if none ever did. */
function useLastMoved(): string | null | undefined {
  const events = useInfiniteQuery({ ...eventsQuery({ kind: 'motion' }, 1), staleTime: Infinity });
  return events.isPending ? undefined : (events.data?.pages[0]?.items[0]?.template_id ?? null);
}

/**
 * Puts a view that is live first, if possible that which moved last; then the broken ones, then the rest. The
 * order stays as long as the views do: nothing on the wall moves by itself except the pictures.
 */
function useOrder(templates: readonly Template[], lastMoved: string | null): Template[] {
  const [order, setOrder] = useState<readonly string[]>([]);
  const ids = templates.map(({ id }) => id);
  const isSame = order.length === ids.length && ids.every((id) => order.includes(id));
  if (!isSame) setOrder(arranged(templates, lastMoved));
  const byId = new Map(templates.map((template) => [template.id, template]));
  return order.flatMap((id) => byId.get(id) ?? []);
}

function arranged(templates: readonly Template[], lastMoved: string | null): string[] {
  const live = templates.filter(
    ({ enabled, stream }) => enabled && STREAM_STATES[stream.state].tone === 'ok',
  );
  const hero = live.find(({ id }) => id === lastMoved) ?? live[0];
  const rank = (template: Template) => {
    if (template === hero) return 0;
    if (!template.enabled) return 3;
    return STREAM_STATES[template.stream.state].tone === 'bad' ? 1 : 2;
  };
  return [...templates].sort((a, b) => rank(a) - rank(b)).map(({ id }) => id);
}

const RAIL_FROM_PX = 768;
/** What stands around the wall: the rail, the head and the gutters. */
const AROUND_DESKTOP = { width: 208 + 2 * 24, height: 80 + 24 };
const AROUND_PHONE = { width: 2 * 16, height: 0 };
const FEW = 4;

/** A wall of few views is as wide as the window's height allows, so that it need not be scrolled. */
function gridStyle({ columns }: Layout, tiles: number): CSSProperties {
  const gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  if (tiles > FEW || (columns === 1 && tiles > 1)) return { gridTemplateColumns };
  const rows = Math.ceil(tiles / columns);
  return { gridTemplateColumns, maxWidth: `calc((100dvh - 104px) * 16 / 9 * ${columns} / ${rows})` };
}

function onResize(listener: () => void): () => void {
  addEventListener('resize', listener);
  return () => removeEventListener('resize', listener);
}
