/** What pages read of schedules and of what was captured. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, bodyOf } from '../api/client';
import { pageQuery } from '../api/pages';

const CAPTURES_PAGE = 48;
const SCHEDULE_AGAIN_MS = 30_000;

export const captureKeys = { all: ['captures'], of: (id: string) => ['captures', id] } as const;
export const scheduleKeys = { all: ['schedules'], of: (id: string) => ['schedules', id] } as const;

/** For operators. */
export function scheduleQuery(id: string) {
  const params = { path: { template_id: id } };
  return queryOptions({
    queryKey: scheduleKeys.of(id),
    queryFn: () => bodyOf(api.GET('/api/admin/schedules/{template_id}', { params })),
    refetchInterval: SCHEDULE_AGAIN_MS,
  });
}

/** What an expression means, while somebody types it. */
export function previewQuery(cron: string, timezone: string) {
  const params = { query: { cron, timezone } };
  return queryOptions({
    queryKey: ['schedule-preview', cron, timezone],
    queryFn: () => bodyOf(api.GET('/api/schedule/preview', { params })),
    placeholderData: keepPreviousData,
    retry: false,
  });
}

export function capturesQuery(templateId: string) {
  return infiniteQueryOptions({
    queryKey: captureKeys.of(templateId),
    queryFn: ({ pageParam }) => {
      const query = { template_id: templateId, ...pageQuery(pageParam, CAPTURES_PAGE) };
      return bodyOf(api.GET('/api/captures', { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}
