import { Link } from '@tanstack/react-router';
import { CircleOff, Clock, LoaderCircle, TriangleAlert } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { serverNow } from '../api/clock';
import type { Template } from '../api/types';
import { SourceIcon } from '../ui/kinds';
import { useNow } from '../ui/useNow';
import { useIsMoving, useLiveMessages, wall } from './live';
import { tileStatus, type TileStatus } from './tileStatus';

const SHOWING: ReadonlySet<TileStatus['kind']> = new Set(['live', 'recent', 'unwell', 'old']);

interface Props {
  template: Template;
  fps: number;
  hero: boolean;
}

export function LiveTile({ template, fps, hero }: Props) {
  const { id, name, enabled, stream, health } = template;
  const canvas = useRef<HTMLCanvasElement>(null);
  const running = enabled && (stream.state === 'live' || stream.state === 'degraded');
  const [pictureMs, setPictureMs] = useState<number | null>(null);
  const [shownSinceMs] = useState(serverNow);
  const [refusal, setRefusal] = useState<string | null>(null);
  const nowMs = useNow();
  const moving = useIsMoving(id) && running;
  const status = tileStatus({ enabled, stream, health, pictureMs, shownSinceMs, refusal, nowMs });

  useLiveMessages((message) => {
    if (message.type === 'error' && message.template_id === id) setRefusal(message.detail);
  });
  useEffect(() => {
    if (!running || !canvas.current) return undefined;
    return wall.attach({ id, fps, canvas: canvas.current, drawn: setPictureMs });
  }, [id, fps, running]);

  const showsPicture = SHOWING.has(status.kind);
  const isFresh = status.kind !== 'old' && (showsPicture || status.kind === 'waiting');
  return (
    <article
      data-tile={id}
      data-status={status.kind}
      className={`media @container relative overflow-hidden rounded-lg ${hero ? 'col-span-2 row-span-2' : 'aspect-video'} ${moving ? 'ring-2 ring-motion' : 'ring-1 ring-line'}`}
    >
      <Link
        to="/sources/$sourceId"
        params={{ sourceId: id }}
        className="absolute inset-0 z-10 rounded-lg focus-visible:-outline-offset-2"
      >
        <span className="sr-only">
          {name}, {status.label}
          {showsPicture && status.reason !== null && `: ${status.reason}`}
        </span>
      </Link>
      <canvas
        ref={canvas}
        aria-hidden
        width={640}
        height={360}
        className={`absolute inset-0 size-full object-cover transition-opacity duration-200 ${pictureMs === null ? 'opacity-0' : isFresh ? 'opacity-100' : 'opacity-45 grayscale'}`}
      />
      {!showsPicture && <Centre status={status} />}
      <div className="absolute inset-x-0 bottom-0 flex items-center gap-2 bg-linear-to-t from-black/85 via-black/45 to-transparent px-3 pt-8 pb-2">
        <SourceIcon kind={template.kind} className="size-4 shrink-0 opacity-80" />
        <h2 className="truncate text-sm font-medium">{name}</h2>
        <span aria-hidden className="num ml-auto flex shrink-0 items-center gap-1.5 text-2xs">
          {moving && <span className="rounded bg-[#f2b84b] px-1.5 font-semibold text-black">Motion</span>}
          <Badge status={status} />
        </span>
      </div>
    </article>
  );
}

function Badge({ status }: { status: TileStatus }) {
  if (status.kind === 'live') {
    return (
      <>
        <span className="size-1.5 rounded-full bg-[#5ccb7f]" />
        {status.label}
      </>
    );
  }
  if (status.kind === 'recent') {
    return (
      <>
        <Clock className="size-3.5 text-white/80" />
        {status.label}
      </>
    );
  }
  if (status.kind === 'old' || status.kind === 'unwell') {
    const Icon = status.kind === 'old' ? Clock : TriangleAlert;
    return (
      <>
        <Icon className="size-3.5 text-[#f2b84b]" />
        {status.label}
      </>
    );
  }
  return <span className={status.kind === 'bad' ? 'text-[#ff9a93]' : 'text-white/75'}>{status.label}</span>;
}

/** Stands where the picture would be. */
function Centre({ status }: { status: TileStatus }) {
  const Icon = status.kind === 'bad' ? TriangleAlert : status.kind === 'off' ? CircleOff : LoaderCircle;
  const colour = status.kind === 'bad' ? 'text-[#ff7b72]' : 'text-white/60';
  return (
    <div className="absolute inset-0 flex flex-col items-center justify-center gap-2 px-6 pt-3 pb-10 text-center @max-[260px]:gap-1 @max-[260px]:px-3 @max-[260px]:pt-1 @max-[260px]:pb-8">
      <Icon
        aria-hidden
        className={`size-6 shrink-0 @max-[260px]:size-4 ${colour} ${status.kind === 'waiting' ? 'animate-spin motion-reduce:animate-none' : ''}`}
        strokeWidth={1.75}
      />
      {status.reason !== null && (
        <p className="line-clamp-3 text-sm text-white/90 @max-[260px]:line-clamp-2 @max-[260px]:text-2xs">
          {status.reason}
        </p>
      )}
    </div>
  );
}
