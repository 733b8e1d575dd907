import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { FileText, Images, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { pictureUrl } from '../api/pictures';
import type { Capture, Template } from '../api/types';
import { ago, exactTime } from '../format/time';
import { useLiveMessages } from '../live/live';
import { captureKeys, capturesQuery, scheduleKeys } from '../sources/queries';
import { Empty, Failure, Section } from '../ui/parts';
import { useNow } from '../ui/useNow';
import { CaptureDialog } from './CaptureDialog';
import { isPicture } from './details';

/** The stored captures of a source, newest first. */
export function CapturesSection({ template }: { template: Template }) {
  const queryClient = useQueryClient();
  const captures = useInfiniteQuery(capturesQuery(template.id));
  const [open, setOpen] = useState<Capture | null>(null);
  useLiveMessages((message) => {
    if (message.type !== 'job' || message.job.template_id !== template.id) return;
    if (message.job.ended_at === null) return;
    void queryClient.invalidateQueries({ queryKey: captureKeys.of(template.id) });
    void queryClient.invalidateQueries({ queryKey: scheduleKeys.of(template.id) });
  });
  const items = captures.data?.pages.flatMap((page) => page.items).filter(isPicture);
  return (
    <Section title="Captures">
      {items ? (
        items.length > 0 ? (
          <ul className="grid grid-cols-2 gap-2 p-3 sm:grid-cols-3 lg:grid-cols-4 2xl:grid-cols-6">
            {items.map((capture) => (
              <li key={capture.id}>
                <CaptureTile capture={capture} onOpen={() => setOpen(capture)} />
              </li>
            ))}
          </ul>
        ) : (
          <Empty small icon={Images} title="Nothing captured yet">
            Captures are made by the clock, or when somebody asks for one.
          </Empty>
        )
      ) : captures.isError ? (
        <Failure error={captures.error} onRetry={() => void captures.refetch()} />
      ) : (
        <div aria-hidden className="p-3">
          <div className="shimmer h-24 rounded-lg" />
        </div>
      )}
      {captures.hasNextPage && (
        <button
          type="button"
          className="btn btn-quiet m-3 mt-0"
          disabled={captures.isFetchingNextPage}
          onClick={() => void captures.fetchNextPage()}
        >
          Show earlier captures
        </button>
      )}
      {open && <CaptureDialog capture={open} name={template.name} onClose={() => setOpen(null)} />}
    </Section>
  );
}

function CaptureTile({ capture, onOpen }: { capture: Capture; onOpen: () => void }) {
  const now = useNow();
  const { artifact_id: picture, status, started_at: at } = capture;
  const hasFailed = status === 'failure';
  return (
    <button
      type="button"
      title={exactTime(at)}
      className="media relative block aspect-video w-full overflow-hidden rounded-lg text-left"
      onClick={onOpen}
    >
      {picture !== null && (
        <img
          src={pictureUrl(picture, 640)}
          alt=""
          loading="lazy"
          className={`size-full object-cover object-top ${hasFailed ? 'opacity-50' : ''}`}
        />
      )}
      {hasFailed && (
        <TriangleAlert
          aria-hidden
          className="absolute inset-0 m-auto size-6 text-[#ff7b72]"
          strokeWidth={1.75}
        />
      )}
      <span className="absolute inset-x-0 bottom-0 flex items-center gap-1.5 bg-linear-to-t from-black/90 to-black/40 px-2 pt-2 pb-1 text-2xs">
        <span className="sr-only">{hasFailed ? 'Failed capture,' : 'Capture,'}</span>
        <span className="num">{ago(at, now)}</span>
        {capture.text_artifact_id !== null && <FileText aria-hidden className="ml-auto size-3.5" />}
      </span>
    </button>
  );
}
