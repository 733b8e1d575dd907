import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ListChecks } from 'lucide-react';
import { templatesQuery } from '../api/queries';
import type { JobStatus } from '../api/types';
import { JobItem } from '../jobs/JobItem';
import { jobsQuery } from '../jobs/queries';
import { JOB_KINDS, JOB_STATES, jobKind } from '../jobs/words';
import { useMay } from '../session';
import { Choice, ClearButton, FilterBar } from '../ui/filters';
import { NeedsRole } from '../ui/NeedsRole';
import { Empty, Failure, Head, Skeleton } from '../ui/parts';
import { jobSearch, type JobSearch } from './search';

const route = getRouteApi('/shell/jobs');

export function JobsPage() {
  const isOperator = useMay('operator');
  const jobs = useInfiniteQuery({ ...jobsQuery(route.useSearch()), enabled: isOperator });
  const templates = useQuery(templatesQuery).data ?? [];
  if (!isOperator) return <NeedsRole needed="operator" alone />;
  const items = jobs.data?.pages.flatMap((page) => page.items);
  const names = new Map(templates.map(({ id, name }) => [id, name]));
  return (
    <>
      <Head title="Jobs">
        <JobFilters sources={names} />
      </Head>
      <div className="max-w-5xl px-4 pb-8 md:px-6">
        {items ? (
          items.length > 0 ? (
            <ul className="card">
              {items.map((job) => (
                <JobItem key={job.id} job={job} source={names.get(job.template_id ?? '')} />
              ))}
            </ul>
          ) : (
            <Empty icon={ListChecks} title="No jobs here">
              What happens later is a job: an alert on its way, a capture by the clock, the test of an
              address.
            </Empty>
          )
        ) : jobs.isError ? (
          <Failure error={jobs.error} onRetry={() => void jobs.refetch()} />
        ) : (
          <Skeleton rows={8} className="h-14 rounded-lg" />
        )}
        {jobs.hasNextPage && (
          <button
            type="button"
            className="btn mt-4"
            disabled={jobs.isFetchingNextPage}
            onClick={() => void jobs.fetchNextPage()}
          >
            Show earlier jobs
          </button>
        )}
      </div>
    </>
  );
}

function JobFilters({ sources }: { sources: ReadonlyMap<string, string> }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<Record<keyof JobSearch, string>>) =>
    void navigate({ search: jobSearch({ ...search, ...change }), replace: true });
  return (
    <FilterBar>
      <Choice label="Kind" value={search.kind ?? ''} onChange={(kind) => set({ kind })}>
        <option value="">All kinds</option>
        {JOB_KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {jobKind(kind)}
          </option>
        ))}
      </Choice>
      <Choice label="State" value={search.status ?? ''} onChange={(status) => set({ status })}>
        <option value="">All states</option>
        {(Object.keys(JOB_STATES) as JobStatus[]).map((status) => (
          <option key={status} value={status}>
            {JOB_STATES[status].label}
          </option>
        ))}
      </Choice>
      <Choice label="Source" value={search.source ?? ''} onChange={(source) => set({ source })}>
        <option value="">All sources</option>
        {[...sources].map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Choice>
      {Object.keys(search).length > 0 && <ClearButton onClick={() => void navigate({ search: {} })} />}
    </FilterBar>
  );
}
