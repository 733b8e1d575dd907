import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query';
import { api, bodyOf } from '../api/client';
import { pageQuery } from '../api/pages';
import { isUnderWay } from './model';

const PAGE = 25;
const UNDER_WAY_AGAIN_MS = 1500;
const AGAIN_MS = 30_000;

export const exportKeys = { all: ['exports'] } as const;

export const exportsQuery = infiniteQueryOptions({
  queryKey: exportKeys.all,
  queryFn: ({ pageParam }) =>
    bodyOf(api.GET('/api/exports', { params: { query: pageQuery(pageParam, PAGE) } })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
  placeholderData: keepPreviousData,
  refetchInterval: ({ state }) =>
    state.data?.pages.some(({ items }) => items.some(isUnderWay)) ? UNDER_WAY_AGAIN_MS : AGAIN_MS,
});
