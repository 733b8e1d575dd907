/** Jobs as the pages read them, and how news about one gets into what was read. */

import {
  infiniteQueryOptions,
  keepPreviousData,
  type InfiniteData,
  type QueryClient,
} from '@tanstack/react-query';
import { api, bodyOf } from '../api/client';
import { pageQuery } from '../api/pages';
import type { Job } from '../api/types';
import type { JobSearch } from '../pages/search';

const PAGE = 50;
const AGAIN_MS = 30_000;

export const jobKeys = { all: ['jobs'] } as const;

interface JobPage {
  items: Job[];
  next_cursor: string | null;
}

export function jobsQuery({ kind, status, source }: JobSearch, limit = PAGE) {
  const where = {
    ...(kind !== undefined && { kind }),
    ...(status !== undefined && { status }),
    ...(source !== undefined && { template_id: source }),
  };
  return infiniteQueryOptions({
    queryKey: [...jobKeys.all, where, limit],
    queryFn: ({ pageParam }) => {
      const query = { ...where, ...pageQuery(pageParam, limit) };
      return bodyOf(api.GET('/api/admin/jobs', { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
  });
}

/** Puts news about a job where it is listed; one that is new, or that a filter is about, is read. */
export function noteJob(queryClient: QueryClient, job: Job): void {
  const lists = queryClient.getQueriesData<InfiniteData<JobPage>>({ queryKey: jobKeys.all });
  const holding = lists.filter(([, list]) => list && holds(list, job));
  for (const [key] of holding) {
    queryClient.setQueryData<InfiniteData<JobPage>>(
      key,
      (list) => list && { ...list, pages: list.pages.map((page) => renewed(page, job)) },
    );
  }
  const isNews = holding.length === 0 || job.ended_at !== null;
  if (isNews) void queryClient.invalidateQueries({ queryKey: jobKeys.all });
}

function holds(list: InfiniteData<JobPage>, { id }: Job): boolean {
  return list.pages.some(({ items }) => items.some((known) => known.id === id));
}

function renewed(page: JobPage, job: Job): JobPage {
  return { ...page, items: page.items.map((known) => (known.id === job.id ? job : known)) };
}
