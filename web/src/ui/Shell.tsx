/** What stands around every page: ways to the others, who one is, and whether the server answers. */

import {
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
  type QueryClient,
} from '@tanstack/react-query';
import { Link, Outlet, useNavigate, type LinkProps } from '@tanstack/react-router';
import {
  Activity,
  Bell,
  Cctv,
  Clapperboard,
  LayoutGrid,
  Send,
  Settings,
  WifiOff,
  type LucideIcon,
} from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { isReachable, onReachable } from '../api/connection';
import { alertsQuery, keys, meQuery } from '../api/queries';
import type { EventPage, GlimpserEvent, Template } from '../api/types';
import { JobTray } from '../jobs/JobTray';
import { noteJob } from '../jobs/queries';
import { link, noteMotion, useLiveMessages } from '../live/live';
import type { LiveMessage } from '../live/message';
import { may } from '../role';
import { AccountMenu } from './AccountMenu';
import { useGoKeys } from './keys';
import { Toaster } from './toasts';

interface Place {
  to: LinkProps['to'];
  label: string;
  icon: LucideIcon;
  /** Pressed after `g`, goes there. */
  key: string;
}

const LIVE: Place = { to: '/live', label: 'Live', icon: LayoutGrid, key: 'l' };
const EVENTS: Place = { to: '/events', label: 'Events', icon: Activity, key: 'e' };
const ALERTS: Place = { to: '/alerts', label: 'Alerts', icon: Bell, key: 'a' };
const SOURCES: Place = { to: '/sources', label: 'Sources', icon: Cctv, key: 's' };
const EXPORTS: Place = { to: '/exports', label: 'Films', icon: Clapperboard, key: 'x' };
const CHANNELS: Place = { to: '/channels', label: 'Channels', icon: Send, key: 'c' };
const SETTINGS: Place = { to: '/settings', label: 'Settings', icon: Settings, key: ',' };

const RAIL_ITEM =
  'flex h-9 items-center gap-3 rounded-lg px-2.5 text-sm text-dim transition-colors hover:bg-raised hover:text-ink data-[status=active]:bg-raised data-[status=active]:text-ink';
const BAR_ITEM =
  'relative flex h-14 flex-col items-center justify-center gap-1 text-2xs text-dim data-[status=active]:text-accent';

export function Shell() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const me = useQuery(meQuery).data;
  const isAdmin = may(me?.role, 'admin');
  const isOperator = may(me?.role, 'operator');
  const rail = [
    LIVE,
    EVENTS,
    ALERTS,
    SOURCES,
    ...(isOperator ? [EXPORTS] : []),
    ...(isAdmin ? [CHANNELS] : []),
  ];
  useLiveMessages((message) => applyMessage(queryClient, message));
  useLinkChanges(queryClient);
  useGoKeys((letter) => {
    const place = [...rail, SETTINGS].find(({ key }) => key === letter);
    if (place) void navigate({ to: place.to });
  });
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[208px_minmax(0,1fr)] md:grid-rows-[auto_minmax(0,1fr)]">
      <a
        href="#main"
        className="btn sr-only focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:z-50"
      >
        Skip to content
      </a>
      <ConnectionBar />
      <aside className="sticky top-0 hidden h-dvh flex-col border-r border-line bg-surface p-3 md:row-start-2 md:flex">
        <Link
          to="/live"
          className="mb-5 flex items-center gap-2.5 rounded-lg px-2 pt-1 text-base font-semibold tracking-tight"
        >
          <img src="/icons/icon.svg" alt="" width={26} height={26} />
          Glimpser
        </Link>
        <nav aria-label="Main" className="space-y-0.5">
          {rail.map((place) => (
            <Link key={place.label} to={place.to} className={RAIL_ITEM}>
              <place.icon aria-hidden className="size-[18px] shrink-0" strokeWidth={1.75} />
              {place.label}
              {place === ALERTS && (
                <OpenAlerts className="ml-auto rounded-full bg-danger px-1.5 text-2xs font-semibold text-on-danger" />
              )}
            </Link>
          ))}
        </nav>
        <div className="mt-auto space-y-0.5">
          {isOperator && <JobTray className={RAIL_ITEM} />}
          <Link to="/settings" className={RAIL_ITEM}>
            <SETTINGS.icon aria-hidden className="size-[18px] shrink-0" strokeWidth={1.75} />
            Settings
          </Link>
          <AccountMenu className={RAIL_ITEM} />
        </div>
      </aside>
      <main id="main" tabIndex={-1} className="min-w-0 pb-20 outline-none md:row-start-2 md:pb-0">
        <Outlet />
      </main>
      <nav
        aria-label="Main, phone"
        className="fixed inset-x-0 bottom-0 z-20 grid grid-cols-5 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
      >
        {[LIVE, EVENTS, ALERTS, SOURCES, SETTINGS].map((place) => (
          <Link key={place.label} to={place.to} className={BAR_ITEM}>
            <place.icon aria-hidden className="size-5" strokeWidth={1.75} />
            {place.label}
            {place === ALERTS && (
              <OpenAlerts className="absolute top-1 left-[calc(50%+6px)] rounded-full bg-danger px-1 text-2xs leading-4 font-bold text-on-danger" />
            )}
          </Link>
        ))}
      </nav>
      <Toaster />
    </div>
  );
}

function OpenAlerts({ className }: { className: string }) {
  const { data } = useInfiniteQuery(alertsQuery('open'));
  const first = data?.pages[0];
  if (!first || first.items.length === 0) return null;
  return (
    <span className={`num ${className}`}>
      {first.items.length}
      {first.next_cursor !== null && '+'}
      <span className="sr-only"> open</span>
    </span>
  );
}

function ConnectionBar() {
  const reachable = useSyncExternalStore(onReachable, isReachable);
  const queryClient = useQueryClient();
  useEffect(() => {
    if (reachable) return undefined;
    const timer = setInterval(() => void queryClient.refetchQueries({ queryKey: keys.me }), 3000);
    return () => {
      clearInterval(timer);
      void queryClient.invalidateQueries();
    };
  }, [reachable, queryClient]);
  if (reachable) return null;
  return (
    <div
      role="alert"
      className="flex items-center justify-center gap-2 bg-danger px-4 py-1.5 text-sm font-medium text-on-danger md:col-span-2"
    >
      <WifiOff aria-hidden className="size-4 shrink-0" />
      No connection to the server. Trying again…
    </div>
  );
}

/** Puts what is new about an event into the lists that hold it already. */
function keepUpToDate(queryClient: QueryClient, event: GlimpserEvent): void {
  queryClient.setQueryData<GlimpserEvent>(keys.event(event.id), (known) => known && event);
  queryClient.setQueriesData<InfiniteData<EventPage>>({ queryKey: keys.eventLists }, (lists) => {
    if (!lists?.pages.some(({ items }) => items.some(({ id }) => id === event.id))) return lists;
    const renewed = (page: EventPage) => ({
      ...page,
      items: page.items.map((item) => (item.id === event.id ? event : item)),
    });
    return { ...lists, pages: lists.pages.map(renewed) };
  });
}

/** When the socket is lost, asks at once whether the server is; when it is back, reads anew what was missed. */
function useLinkChanges(queryClient: QueryClient): void {
  useEffect(() => {
    let wasLost = false;
    return link.listen({
      mode: (mode) => {
        if (mode === 'open' && wasLost) void queryClient.invalidateQueries();
        if (mode !== 'open') void queryClient.refetchQueries({ queryKey: keys.me });
        wasLost = mode !== 'open';
      },
    });
  }, [queryClient]);
}

function applyMessage(queryClient: QueryClient, message: LiveMessage): void {
  noteMotion(message);
  if (message.type === 'event') {
    keepUpToDate(queryClient, message.event);
  } else if (message.type === 'alert') {
    void queryClient.invalidateQueries({ queryKey: keys.alerts });
  } else if (message.type === 'job') {
    noteJob(queryClient, message.job);
  } else if (message.type === 'state') {
    updateTemplate(queryClient, message.template_id, { stream: message.stream });
  } else if (message.type === 'health') {
    updateTemplate(queryClient, message.template_id, { health: message.health });
  }
}

/** Puts what was told of a source beside what is known of it; one that is not known is read. */
function updateTemplate(
  queryClient: QueryClient,
  id: string,
  news: Partial<Pick<Template, 'stream' | 'health'>>,
): void {
  const withNews = (template: Template): Template =>
    template.id === id ? { ...template, ...news } : template;
  const isNew = queryClient.getQueryData<Template[]>(keys.templates)?.every((known) => known.id !== id);
  if (isNew)
    void queryClient.invalidateQueries({ queryKey: keys.templates, exact: true, refetchType: 'all' });
  else queryClient.setQueryData<Template[]>(keys.templates, (known) => known?.map(withNews));
  queryClient.setQueryData<Template>(keys.template(id), (known) => known && withNews(known));
}
