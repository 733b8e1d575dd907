import { useEffect, useRef, useState } from 'react';
import { CircleOff, LoaderCircle, TriangleAlert } from 'lucide-react';
import type { Template } from '../api/types';
import { clockTime, millis, span } from '../format/time';
import { STREAM_STATES } from '../format/words';
import { Ago } from '../ui/parts';
import { useNow } from '../ui/useNow';

const AGAIN_MS = 3000;
/** What is known of a source is read again this often: an age below it says nothing. */
const READ_AGAIN_MS = 20_000;

/** The moving picture of one source, or what is known about why there is none. */
export function BigPicture({ template }: { template: Template }) {
  const { enabled, stream } = template;
  const running = enabled && (stream.state === 'live' || stream.state === 'degraded');
  const ratio = stream.width && stream.height ? `${stream.width} / ${stream.height}` : '16 / 9';
  return (
    <div
      className="media relative mx-auto w-full overflow-hidden rounded-xl"
      style={{ aspectRatio: ratio, maxWidth: `calc((100dvh - 220px) * (${ratio}))` }}
    >
      {running ? <Moving template={template} /> : <Missing template={template} />}
      {running && <Age template={template} />}
    </div>
  );
}

/** Ends the stream when it goes: a browser would otherwise keep reading it unseen. */
function Moving({ template: { id, name } }: { template: Template }) {
  const [attempt, setAttempt] = useState(0);
  const image = useRef<HTMLImageElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const shown = image.current;
    if (shown) shown.src = `/api/stream/${encodeURIComponent(id)}/mjpeg?w=1280`;
    return () => {
      clearTimeout(timer.current);
      shown?.removeAttribute('src');
    };
  }, [id, attempt]);
  return (
    <img
      ref={image}
      alt={`${name}, live`}
      className="size-full object-contain"
      onError={() => {
        timer.current = setTimeout(() => setAttempt(attempt + 1), AGAIN_MS);
      }}
    />
  );
}

/** Of a view that is slow by its nature, or whose pictures no longer come: how old the one on show is. */
function Age({ template: { stream, health } }: { template: Template }) {
  const now = useNow();
  if (health.last_good_at === null) return null;
  const period = stream.fps === null || stream.fps <= 0 ? 0 : 1000 / stream.fps;
  const age = now - millis(health.last_good_at);
  if (age < Math.max(READ_AGAIN_MS, period / 2)) return null;
  return (
    <p className="num absolute right-3 bottom-3 rounded bg-black/75 px-2 py-1 text-xs">{span(age)} old</p>
  );
}

/** Why there is no picture, over the last one there was, in grey. */
function Missing({ template: { enabled, stream, health } }: { template: Template }) {
  const { label, tone } = STREAM_STATES[stream.state];
  const isBad = enabled && tone === 'bad';
  const Icon = isBad ? TriangleAlert : enabled && tone === 'wait' ? LoaderCircle : CircleOff;
  return (
    <div
      className="absolute inset-0 isolate flex flex-col items-center justify-center gap-2 p-6 text-center"
      role="status"
    >
      {health.last_good_artifact_id !== null && (
        <img
          src={`/api/artifacts/${health.last_good_artifact_id}`}
          alt=""
          className="absolute inset-0 -z-10 size-full object-contain opacity-25 grayscale"
        />
      )}
      <Icon
        aria-hidden
        className={`size-8 ${isBad ? 'text-[#ff7b72]' : 'text-white/60'} ${Icon === LoaderCircle ? 'animate-spin motion-reduce:animate-none' : ''}`}
        strokeWidth={1.75}
      />
      <p className="text-base font-medium">{enabled ? label : 'Switched off'}</p>
      {enabled && stream.reason !== null && <p className="max-w-md text-sm text-white/80">{stream.reason}</p>}
      {isBad && <p className="num text-xs text-white/80">since {clockTime(stream.since)}</p>}
      {health.last_good_at !== null && (
        <p className="num text-xs text-white/80">
          The last picture came <Ago at={health.last_good_at} />.
        </p>
      )}
    </div>
  );
}
