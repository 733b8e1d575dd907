import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ListChecks } from 'lucide-react';
import { useId } from 'react';
import { templatesQuery } from '../api/queries';
import { JobItem } from './JobItem';
import { jobsQuery } from './queries';

/** Among so many the running ones are counted; the newest are shown. */
const RECENT = 25;
const SHOWN = 6;

/** The newest jobs, from every page; for operators. */
export function JobTray({ className }: { className: string }) {
  const tray = useId();
  const recent = useInfiniteQuery(jobsQuery({}, RECENT)).data?.pages[0]?.items ?? [];
  const names = new Map(useQuery(templatesQuery).data?.map(({ id, name }) => [id, name]));
  const count = recent.filter(({ status }) => status === 'running').length;
  return (
    <>
      <button type="button" popoverTarget={tray} className={`${className} w-full`}>
        <ListChecks aria-hidden className="size-[18px] shrink-0" strokeWidth={1.75} />
        Jobs
        {count > 0 && (
          <span className="num ml-auto rounded-full bg-accent-soft px-1.5 text-2xs font-semibold text-ink">
            {count}
            <span className="sr-only"> running</span>
          </span>
        )}
      </button>
      <div
        id={tray}
        popover="auto"
        role="group"
        aria-label="Recent jobs"
        className="inset-auto bottom-36 left-3 m-0 max-h-[70dvh] w-96 overflow-y-auto rounded-xl border border-strong bg-raised p-0 text-ink shadow-xl"
      >
        {recent.length > 0 ? (
          <ul>
            {recent.slice(0, SHOWN).map((job) => (
              <JobItem key={job.id} job={job} source={names.get(job.template_id ?? '')} />
            ))}
          </ul>
        ) : (
          <p className="p-4 text-sm text-dim">Nothing is going on, and nothing was.</p>
        )}
        <div className="border-t border-line p-3">
          <Link to="/jobs" className="btn w-full">
            All jobs
          </Link>
        </div>
      </div>
    </>
  );
}
