/** What the pages about accounts read; for admins only. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, bodyOf } from '../api/client';
import { pageQuery, readAll, WHOLE_PAGE } from '../api/pages';
import { dayBounds } from '../format/time';
import type { AuditSearch } from '../pages/search';

const AUDIT_PAGE = 50;

export const accountKeys = { accounts: ['accounts'], apiKeys: ['api-keys'], audit: ['audit'] } as const;

export const accountsQuery = queryOptions({
  queryKey: accountKeys.accounts,
  queryFn: () =>
    readAll((cursor) => {
      const query = pageQuery(cursor, WHOLE_PAGE);
      return bodyOf(api.GET('/api/admin/users', { params: { query } }));
    }),
});

export const apiKeysQuery = queryOptions({
  queryKey: accountKeys.apiKeys,
  queryFn: () =>
    readAll((cursor) => {
      const query = pageQuery(cursor, WHOLE_PAGE);
      return bodyOf(api.GET('/api/admin/api-keys', { params: { query } }));
    }),
});

export function auditQuery({ actor, action, from, to }: AuditSearch) {
  const where = {
    ...(actor !== undefined && { actor }),
    ...(action !== undefined && { action }),
    ...(from !== undefined && { from: dayBounds(from)?.from }),
    ...(to !== undefined && { to: dayBounds(to)?.to }),
  };
  return infiniteQueryOptions({
    queryKey: [...accountKeys.audit, where],
    queryFn: ({ pageParam }) => {
      const query = { ...where, ...pageQuery(pageParam, AUDIT_PAGE) };
      return bodyOf(api.GET('/api/admin/audit', { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}
