/** What pages read, under which key it is kept, and how often it is read again. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { EventSearch } from '../pages/search';
import { dayBounds } from '../format/time';
import { api, bodyOf } from './client';
import { pageQuery, readAll, WHOLE_PAGE } from './pages';
import type { AlertState, Template } from './types';

const PAGE = 50;
const TEMPLATES_AGAIN_MS = 15_000;
const STARTING_AGAIN_MS = 1500;
const ALERTS_AGAIN_MS = 30_000;

export const keys = {
  me: ['me'],
  templates: ['templates'],
  template: (id: string) => ['templates', id],
  events: ['events'],
  eventLists: ['events', 'list'],
  event: (id: string) => ['events', 'one', id],
  alerts: ['alerts'],
  alert: (id: string) => ['alerts', 'one', id],
  channels: ['channels'],
  kinds: ['kinds'],
} as const;

/** Who is signed in; null: nobody. */
export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: async () => (await bodyOf(api.GET('/api/session'))).me,
  staleTime: 60_000,
});

export const templatesQuery = queryOptions({
  queryKey: keys.templates,
  queryFn: allTemplates,
  refetchInterval: ({ state }) => againAfterMs(state.data ?? []),
});

export function templateQuery(id: string) {
  return queryOptions({
    queryKey: keys.template(id),
    queryFn: async () => {
      const params = { path: { template_id: id } };
      return (await bodyOf(api.GET('/api/templates/{template_id}', { params }))) as Template;
    },
    refetchInterval: ({ state }) => againAfterMs(state.data ? [state.data] : []),
  });
}

export const kindsQuery = queryOptions({
  queryKey: keys.kinds,
  queryFn: () => bodyOf(api.GET('/api/template-kinds')),
  staleTime: Infinity,
});

export const channelKindsQuery = queryOptions({
  queryKey: ['channel-kinds'],
  queryFn: () => bodyOf(api.GET('/api/channel-kinds')),
  staleTime: Infinity,
});

export const versionQuery = queryOptions({
  queryKey: ['version'],
  queryFn: () => bodyOf(api.GET('/version')),
  staleTime: Infinity,
});

export function eventsQuery(search: EventSearch, limit = PAGE) {
  const day = search.day === undefined ? null : dayBounds(search.day);
  const where = {
    ...(search.kind !== undefined && { kind: search.kind }),
    ...(search.level !== undefined && { level: search.level }),
    ...(search.source !== undefined && { template_id: search.source }),
    ...(search.q !== undefined && { q: search.q }),
    ...day,
  };
  return infiniteQueryOptions({
    queryKey: [...keys.eventLists, where, limit],
    queryFn: async ({ pageParam }) => {
      const query = { ...where, limit, ...(pageParam !== null && { cursor: pageParam }) };
      return bodyOf(api.GET('/api/events', { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}

export function eventQuery(id: string) {
  return queryOptions({
    queryKey: keys.event(id),
    queryFn: () => bodyOf(api.GET('/api/events/{event_id}', { params: { path: { event_id: id } } })),
    // While an event goes on, its peak and its picture change.
    refetchInterval: ({ state }) => (state.data?.ended_at === null ? 3000 : false),
  });
}

export function alertsQuery(state: AlertState | undefined) {
  return infiniteQueryOptions({
    queryKey: [...keys.alerts, 'list', state ?? 'all'],
    queryFn: async ({ pageParam }) => {
      const query = {
        limit: PAGE,
        ...(state !== undefined && { state }),
        ...(pageParam !== null && { cursor: pageParam }),
      };
      return bodyOf(api.GET('/api/alerts', { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: ALERTS_AGAIN_MS,
  });
}

export function alertQuery(id: string) {
  return queryOptions({
    queryKey: keys.alert(id),
    queryFn: () => bodyOf(api.GET('/api/alerts/{alert_id}', { params: { path: { alert_id: id } } })),
    // Until every delivery is sent or given up, there is news.
    refetchInterval: ({ state }) =>
      state.data?.deliveries.some(({ status }) => status !== 'sent' && status !== 'dead') ? 3000 : false,
  });
}

export const channelsQuery = queryOptions({
  queryKey: keys.channels,
  queryFn: async () => {
    const params = { query: { limit: WHOLE_PAGE } };
    return (await bodyOf(api.GET('/api/admin/channels', { params }))).items;
  },
});

/** A source that has just been switched on is watched more closely, until it shows something or fails. */
function againAfterMs(templates: readonly Template[]): number {
  const starting = templates.some(
    ({ enabled, stream }) => enabled && (stream.state === 'idle' || stream.state === 'connecting'),
  );
  return starting ? STARTING_AGAIN_MS : TEMPLATES_AGAIN_MS;
}

/** The wall, and the names on other pages, need every one. */
function allTemplates(): Promise<Template[]> {
  return readAll(async (cursor) => {
    const query = pageQuery(cursor, WHOLE_PAGE);
    const page = await bodyOf(api.GET('/api/templates', { params: { query } }));
    return { ...page, items: page.items as Template[] };
  });
}
