import { useEffect, useRef, useState } from 'react';
import { CircleOff, LoaderCircle, TriangleAlert } from 'lucide-react';
import type { Template } from '../api/types';
import { clockTime } from '../format/time';
import { STREAM_STATES } from '../format/words';

const AGAIN_MS = 3000;

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

function Missing({ template: { enabled, stream } }: { template: Template }) {
  const { label, tone } = STREAM_STATES[stream.state];
  const isBad = enabled && tone === 'bad';
  const Icon = isBad ? TriangleAlert : enabled && tone === 'wait' ? LoaderCircle : CircleOff;
  return (
    <div
      className="absolute inset-0 flex flex-col items-center justify-center gap-2 p-6 text-center"
      role="status"
    >
      <Icon
        aria-hidden
        className={`size-8 ${isBad ? 'text-[#ff7b72]' : 'text-white/60'} ${Icon === LoaderCircle ? 'animate-spin motion-reduce:animate-none' : ''}`}
        strokeWidth={1.75}
      />
      <p className="text-base font-medium">{enabled ? label : 'Switched off'}</p>
      {enabled && stream.reason !== null && <p className="max-w-md text-sm text-white/80">{stream.reason}</p>}
      {isBad && <p className="num text-xs text-white/70">since {clockTime(stream.since)}</p>}
    </div>
  );
}
