import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Eraser } from 'lucide-react';
import { api, bodyOf } from '../api/client';
import { explain } from '../api/errors';
import { duration } from '../format/time';
import { percent, plural } from '../format/words';
import { jobKeys } from '../jobs/queries';
import { useMay } from '../session';
import { BackupSection } from '../system/BackupSection';
import { bytes, countsOf, DISK_STATES, fillingInWords, type SystemReport } from '../system/model';
import { Failure, Head, Section, Skeleton, State } from '../ui/parts';
import { SettingsLink } from '../ui/SettingsLink';
import { toast } from '../ui/toasts';
import { Fact } from './EventDetail';

const AGAIN_MS = 30_000;

const systemQuery = queryOptions({
  queryKey: ['system'],
  queryFn: () => bodyOf(api.GET('/api/system')),
  refetchInterval: AGAIN_MS,
});

/** How the program is, how full its disk is, and what an admin can do about it. */
export function SystemPage() {
  const isAdmin = useMay('admin');
  const report = useQuery(systemQuery);
  return (
    <>
      <SettingsLink />
      <Head title="System" sub={report.data ? `Runs for ${duration(report.data.uptime_s * 1000)}` : ' '} />
      <div className="max-w-3xl space-y-6 px-4 pb-10 md:px-6">
        {report.data ? (
          <>
            <DiskSection report={report.data} isAdmin={isAdmin} />
            <Kept report={report.data} />
          </>
        ) : report.isError ? (
          <Failure error={report.error} onRetry={() => void report.refetch()} />
        ) : (
          <Skeleton rows={2} className="h-32 rounded-xl" />
        )}
        {isAdmin && <BackupSection />}
      </div>
    </>
  );
}

function DiskSection({ report, isAdmin }: { report: SystemReport; isAdmin: boolean }) {
  const { disk, days_until_full: days, waiting_objects: waiting } = report;
  return (
    <Section title="Disk">
      <div className="space-y-3 p-4 text-sm">
        {disk === null ? (
          <p className="text-dim">Pictures are kept elsewhere: nothing is known of its disk.</p>
        ) : (
          <>
            <div className="flex flex-wrap items-baseline justify-between gap-x-4">
              <State {...DISK_STATES[disk.state]} />
              <span className="num text-dim">
                {bytes(disk.used_bytes)} of {bytes(disk.total_bytes)} used
              </span>
            </div>
            <progress
              aria-label="Used part of the disk"
              className="h-2 w-full"
              max={disk.total_bytes}
              value={disk.used_bytes}
              aria-valuetext={percent(disk.used_bytes / disk.total_bytes)}
            />
            <p className="num text-dim">{fillingInWords(days)}</p>
          </>
        )}
        {waiting !== null && waiting > 0 && (
          <p className="num text-motion">
            {plural(waiting, 'file')} still to be sent to the store, which is away.
          </p>
        )}
        {isAdmin && <ClearButton />}
      </div>
    </Section>
  );
}

function ClearButton() {
  const queryClient = useQueryClient();
  const clear = useMutation({
    mutationFn: () => bodyOf(api.POST('/api/admin/retention')),
    onSuccess: () => toast('What is old is being cleared.'),
    onError: (error) => toast(explain(error), 'bad'),
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobKeys.all }),
  });
  return (
    <div className="flex flex-wrap items-center gap-3 border-t border-line pt-3">
      <p className="min-w-60 flex-1 text-dim">
        What has been kept long enough is cleared by itself. What is pinned stays.
      </p>
      <button type="button" className="btn" disabled={clear.isPending} onClick={() => clear.mutate()}>
        <Eraser aria-hidden className="size-4" />
        Clear it now
      </button>
    </div>
  );
}

function Kept({ report }: { report: SystemReport }) {
  return (
    <Section title="What is kept">
      <dl className="num grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2 p-4 text-sm">
        {countsOf(report).map(({ label, count }) => (
          <Fact key={label} label={label}>
            {count.toLocaleString('en')}
          </Fact>
        ))}
        <Fact label="Version">{report.version}</Fact>
      </dl>
    </Section>
  );
}
