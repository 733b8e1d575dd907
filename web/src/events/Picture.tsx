import { ImageOff, Scan } from 'lucide-react';
import { useState } from 'react';
import { pictureUrl } from '../api/pictures';
import type { Box } from '../api/types';

interface Props {
  artifactId: string | null;
  alt: string;
  boxes: readonly Box[];
}

const WIDE = { width: 16, height: 9 };

/** A stored picture with what moved in it framed. Its place is there before it has loaded. */
export function Picture({ artifactId, alt, boxes }: Props) {
  const [size, setSize] = useState(WIDE);
  const [lost, setLost] = useState(false);
  const [framed, setFramed] = useState(true);
  if (artifactId === null || lost) {
    return (
      <div className="media grid aspect-video place-items-center rounded-t-xl text-sm text-white/70">
        <span className="flex items-center gap-2">
          <ImageOff aria-hidden className="size-4" />
          {lost ? 'This picture is no longer stored' : 'No picture'}
        </span>
      </div>
    );
  }
  return (
    <div className="media relative aspect-video overflow-hidden rounded-t-xl">
      <a
        href={pictureUrl(artifactId)}
        target="_blank"
        rel="noreferrer"
        className="block size-full focus-visible:-outline-offset-2"
      >
        <img
          src={pictureUrl(artifactId, 1280)}
          alt={`${alt} (opens in full size)`}
          className="size-full object-contain"
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setSize({ width: naturalWidth, height: naturalHeight })
          }
          onError={() => setLost(true)}
        />
      </a>
      {framed && <Frames boxes={boxes} size={size} />}
      {boxes.length > 0 && (
        <button
          type="button"
          aria-pressed={framed}
          aria-label="Show what moved"
          title="Show what moved"
          className="absolute right-2 bottom-2 grid size-9 place-items-center rounded-lg bg-black/65 text-white hover:bg-black/85 pointer-coarse:size-11"
          onClick={() => setFramed(!framed)}
        >
          <Scan aria-hidden className={`size-4 ${framed ? 'text-[#f2b84b]' : ''}`} />
        </button>
      )}
    </div>
  );
}

function Frames({ boxes, size }: { boxes: readonly Box[]; size: { width: number; height: number } }) {
  return (
    <svg
      aria-hidden
      viewBox={`0 0 ${size.width} ${size.height}`}
      className="pointer-events-none absolute inset-0 size-full"
      data-boxes={boxes.length}
    >
      {boxes.map((box, index) => (
        <rect
          key={index}
          x={box.x * size.width}
          y={box.y * size.height}
          width={box.width * size.width}
          height={box.height * size.height}
          fill="none"
          stroke="#f2b84b"
          strokeWidth={2}
          vectorEffect="non-scaling-stroke"
        />
      ))}
    </svg>
  );
}
