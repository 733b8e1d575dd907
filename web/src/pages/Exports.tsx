import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, useLocation } from '@tanstack/react-router';
import { Clapperboard, Plus } from 'lucide-react';
import { useState } from 'react';
import { ExportDialog } from '../exports/ExportDialog';
import { ExportItem } from '../exports/ExportItem';
import { exportsQuery } from '../exports/queries';
import { useMay } from '../session';
import { NeedsRole } from '../ui/NeedsRole';
import { Empty, Failure, Head, Skeleton } from '../ui/parts';

const route = getRouteApi('/shell/exports');

export function ExportsPage() {
  const isOperator = useMay('operator');
  const { source } = route.useSearch();
  const hash = useLocation({ select: (location) => location.hash });
  const [making, setMaking] = useState(source !== undefined);
  const exports = useInfiniteQuery({ ...exportsQuery, enabled: isOperator });
  if (!isOperator) return <NeedsRole needed="operator" alone />;
  const items = exports.data?.pages.flatMap((page) => page.items);
  const make = (
    <button type="button" className="btn btn-primary" onClick={() => setMaking(true)}>
      <Plus aria-hidden className="size-4" />
      Make one
    </button>
  );
  return (
    <>
      <Head title="Films and archives">{items !== undefined && items.length > 0 && make}</Head>
      <div className="max-w-5xl px-4 pb-8 md:px-6">
        {items ? (
          items.length > 0 ? (
            <ul className="card">
              {items.map((item) => (
                <ExportItem key={item.id} item={item} isMeant={item.job_id === hash} />
              ))}
            </ul>
          ) : (
            <Empty icon={Clapperboard} title="No films or archives yet" action={make}>
              Make a timelapse, a video or a ZIP archive of the stored pictures of a source. They are kept for
              some days.
            </Empty>
          )
        ) : exports.isError ? (
          <Failure error={exports.error} onRetry={() => void exports.refetch()} />
        ) : (
          <Skeleton rows={4} className="h-20 rounded-lg" />
        )}
        {exports.hasNextPage && (
          <button
            type="button"
            className="btn mt-4"
            disabled={exports.isFetchingNextPage}
            onClick={() => void exports.fetchNextPage()}
          >
            Show earlier ones
          </button>
        )}
      </div>
      {making && (
        <ExportDialog
          subject={source === undefined ? undefined : `source:${source}`}
          onClose={() => setMaking(false)}
        />
      )}
    </>
  );
}
