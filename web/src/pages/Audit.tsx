import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { History } from 'lucide-react';
import { actionInWords, KNOWN_ACTIONS } from '../accounts/audit';
import { auditQuery } from '../accounts/queries';
import { templatesQuery } from '../api/queries';
import type { AuditEntry, Template } from '../api/types';
import { clockTime, dayName, exactTime } from '../format/time';
import { useMay } from '../session';
import { Choice, ClearButton, DayFilter, FilterBar, TextFilter } from '../ui/filters';
import { NeedsRole } from '../ui/NeedsRole';
import { Empty, Failure, Head, Skeleton } from '../ui/parts';
import { SettingsLink } from '../ui/SettingsLink';
import { Cell, Column, Row, Table } from '../ui/Table';
import { useNow } from '../ui/useNow';
import { auditSearch, type AuditSearch } from './search';

const route = getRouteApi('/shell/settings/audit');

export function AuditPage() {
  const isAdmin = useMay('admin');
  const search = route.useSearch();
  const audit = useInfiniteQuery({ ...auditQuery(search), enabled: isAdmin });
  const templates = useQuery(templatesQuery).data ?? [];
  if (!isAdmin) return <NeedsRole needed="admin" alone />;
  const entries = audit.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <SettingsLink />
      <Head title="Changes">
        <AuditFilters />
      </Head>
      <div className="px-4 pb-8 md:px-6">
        {entries ? (
          entries.length > 0 ? (
            <AuditTable entries={entries} templates={templates} />
          ) : (
            <Empty icon={History} title="No change fits this" />
          )
        ) : audit.isError ? (
          <Failure error={audit.error} onRetry={() => void audit.refetch()} />
        ) : (
          <Skeleton rows={8} className="h-11 rounded-lg" />
        )}
        {audit.hasNextPage && (
          <button
            type="button"
            className="btn mt-4"
            disabled={audit.isFetchingNextPage}
            onClick={() => void audit.fetchNextPage()}
          >
            Show earlier changes
          </button>
        )}
      </div>
    </>
  );
}

function AuditFilters() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<Record<keyof AuditSearch, string>>) =>
    void navigate({ search: auditSearch({ ...search, ...change }), replace: true });
  return (
    <FilterBar>
      <Choice label="Action" value={search.action ?? ''} onChange={(action) => set({ action })}>
        <option value="">All actions</option>
        {KNOWN_ACTIONS.map((action) => (
          <option key={action} value={action}>
            {actionInWords(action)}
          </option>
        ))}
      </Choice>
      <DayFilter label="From" value={search.from ?? ''} onChange={(from) => set({ from })} />
      <DayFilter label="To" value={search.to ?? ''} onChange={(to) => set({ to })} />
      <TextFilter
        key={search.actor ?? ''}
        label="Who"
        placeholder="Who"
        value={search.actor ?? ''}
        onChange={(actor) => set({ actor })}
      />
      {Object.keys(search).length > 0 && <ClearButton onClick={() => void navigate({ search: {} })} />}
    </FilterBar>
  );
}

interface TableProps {
  entries: readonly AuditEntry[];
  templates: readonly Template[];
}

function AuditTable({ entries, templates }: TableProps) {
  const names = new Map(templates.map(({ id, name }) => [id, name]));
  return (
    <Table
      head={
        <>
          <Column>Who, what</Column>
          <Column>About</Column>
          <Column>From</Column>
          <Column>When</Column>
        </>
      }
    >
      {entries.map((entry) => (
        <AuditRow key={entry.id} entry={entry} source={names.get(entry.subject)} />
      ))}
    </Table>
  );
}

function AuditRow({ entry, source }: { entry: AuditEntry; source: string | undefined }) {
  const now = useNow();
  return (
    <Row>
      <Cell main>
        <span className="font-medium break-words">{entry.actor}</span>{' '}
        <span className="text-dim">{actionInWords(entry.action)}</span>
      </Cell>
      <Cell>
        {source === undefined ? (
          <span className="break-words">{entry.detail || entry.subject}</span>
        ) : (
          <>
            <Link
              to="/sources/$sourceId"
              params={{ sourceId: entry.subject }}
              className="rounded text-ink underline underline-offset-2"
            >
              {source}
            </Link>
            {entry.detail !== '' && entry.detail !== source && ` ${entry.detail}`}
          </>
        )}
      </Cell>
      <Cell label="from">
        <span className="num">{entry.client_ip ?? 'this machine'}</span>
      </Cell>
      <Cell>
        <time dateTime={entry.at} title={exactTime(entry.at)} className="whitespace-nowrap">
          {dayName(entry.at, now)}, {clockTime(entry.at)}
        </time>
      </Cell>
    </Row>
  );
}
