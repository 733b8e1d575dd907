import { queryOptions, useQuery } from '@tanstack/react-query';
import { pictureUrl } from '../api/pictures';
import type { Capture } from '../api/types';
import { Fact } from '../pages/EventDetail';
import { duration, exactTime, millis } from '../format/time';
import { Dialog } from '../ui/Dialog';
import { consoleErrors, detailsOf } from './details';

interface Props {
  capture: Capture;
  /** Of its source. */
  name: string;
  onClose: () => void;
}

/** One capture: its picture, the text of the page, and what was noticed while it was taken. */
export function CaptureDialog({ capture, name, onClose }: Props) {
  const { artifact_id: picture, text_artifact_id: text, started_at: at, ended_at: end } = capture;
  const errors = consoleErrors(capture);
  return (
    <Dialog title={`${name}, captured`} wide onClose={onClose}>
      {picture !== null && (
        <a href={pictureUrl(picture)} target="_blank" rel="noreferrer" className="media block rounded-lg">
          <img
            src={pictureUrl(picture, 1280)}
            alt={`${name} at that time (opens in full size)`}
            className="mx-auto max-h-[50dvh] rounded-lg object-contain"
          />
        </a>
      )}
      {capture.error !== null && (
        <p className="mt-4 rounded-lg bg-danger-soft px-3 py-2 text-sm break-words">{capture.error}</p>
      )}
      <dl className="mt-4 grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-1.5 text-sm break-words">
        <Fact label="When">
          <time dateTime={at}>{exactTime(at)}</time>
        </Fact>
        {end !== null && <Fact label="Took">{duration(millis(end) - millis(at))}</Fact>}
        {detailsOf(capture).map(({ label, value }) => (
          <Fact key={label} label={label}>
            {value}
          </Fact>
        ))}
      </dl>
      {errors.length > 0 && <Lines title="Errors of the page" text={errors.join('\n')} />}
      {text !== null && <PageText artifactId={text} />}
    </Dialog>
  );
}

function PageText({ artifactId }: { artifactId: string }) {
  const text = useQuery(textQuery(artifactId));
  if (text.isPending) return <div aria-hidden className="shimmer mt-4 h-24 rounded-lg" />;
  return <Lines title="Text of the page" text={text.data ?? 'This text is no longer stored.'} />;
}

function Lines({ title, text }: { title: string; text: string }) {
  return (
    <section aria-label={title} className="mt-4">
      <h3 className="mb-1.5 text-sm font-medium">{title}</h3>
      <pre
        // A box that scrolls is to be reached by the keyboard too.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className="max-h-60 overflow-auto rounded-lg bg-raised p-3 font-mono text-xs break-words whitespace-pre-wrap"
      >
        {text}
      </pre>
    </section>
  );
}

function textQuery(artifactId: string) {
  return queryOptions({
    queryKey: ['artifact-text', artifactId],
    queryFn: async () => {
      const answer = await fetch(`/api/artifacts/${artifactId}`);
      return answer.ok ? answer.text() : null;
    },
    staleTime: Infinity,
  });
}
