/** Draws zones, ignored areas and privacy masks over the newest picture: by mouse, finger or keyboard. */

import { EyeOff, Plus, ScanLine, Trash2, VolumeOff, type LucideIcon } from 'lucide-react';
import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { TextField } from '../forms/Input';
import { percent } from '../format/words';
import {
  AREA_KINDS,
  changed,
  checkAreas,
  MAX_AREAS,
  movedTo,
  stepOf,
  withCorner,
  withNew,
  without,
  withoutCorner,
  type Area,
  type AreaKind,
  type Point,
} from './areas';

const ICONS: Record<AreaKind, LucideIcon> = { zone: ScanLine, motion: VolumeOff, privacy: EyeOff };
const COLOURS: Record<AreaKind, string> = { zone: '#5ccb7f', motion: '#f2b84b', privacy: '#ff7b72' };
const KINDS = Object.keys(AREA_KINDS) as AreaKind[];

interface Props {
  sourceId: string;
  /** Of the picture, as width / height. */
  ratio: string;
  areas: readonly Area[];
  onChange: (areas: Area[]) => void;
}

export function AreaEditor({ sourceId, ratio, areas, onChange }: Props) {
  const [chosen, setChosen] = useState<number | null>(null);
  const [isBlank, setBlank] = useState(false);
  const active = areas.find(({ key }) => key === chosen);
  const errors = checkAreas(areas);
  const add = (kind: AreaKind) => {
    const next = withNew(areas, kind);
    onChange(next);
    setChosen(next.at(-1)?.key ?? null);
  };
  return (
    <div className="space-y-4">
      <div className="media relative w-full rounded-lg" style={{ aspectRatio: ratio }}>
        <img
          src={`/api/stream/${encodeURIComponent(sourceId)}/snapshot?w=1280&stale=ok`}
          alt="What this source shows now"
          loading="lazy"
          className={`absolute inset-0 size-full rounded-lg object-fill text-transparent ${isBlank ? 'hidden' : ''}`}
          onLoad={() => setBlank(false)}
          onError={() => setBlank(true)}
        />
        {isBlank && (
          <p className="absolute inset-x-4 top-4 text-center text-sm">
            There is no picture yet: areas can be drawn, and are easier to place once there is one.
          </p>
        )}
        <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden className="absolute inset-0 size-full">
          {areas.map((area) => (
            <polygon
              key={area.key}
              points={area.points.map((point) => point.join(',')).join(' ')}
              fill={area.kind === 'privacy' ? '#000' : COLOURS[area.kind]}
              fillOpacity={area.kind === 'privacy' ? 0.7 : 0.2}
              stroke={COLOURS[area.kind]}
              strokeWidth={area.key === chosen ? 3 : 1.5}
              strokeDasharray={area.key === chosen ? undefined : '6 4'}
              vectorEffect="non-scaling-stroke"
              className="cursor-pointer"
              onClick={() => setChosen(area.key)}
            />
          ))}
        </svg>
        {active && (
          <Corners area={active} onChange={(points) => onChange(changed(areas, active.key, { points }))} />
        )}
      </div>
      <div className="flex flex-wrap gap-2">
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            className="btn"
            title={AREA_KINDS[kind].hint}
            disabled={areas.filter((area) => area.kind === kind).length >= MAX_AREAS}
            onClick={() => add(kind)}
          >
            <Plus aria-hidden className="size-4" />
            {AREA_KINDS[kind].label}
          </button>
        ))}
      </div>
      <ul className="space-y-2">
        {areas.map((area) => (
          <li key={area.key}>
            <Entry
              area={area}
              chosen={area.key === chosen}
              error={errors[area.key]}
              onChoose={() => setChosen(area.key === chosen ? null : area.key)}
              onRename={(name) => onChange(changed(areas, area.key, { name }))}
              onRemove={() => onChange(without(areas, area.key))}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface EntryProps {
  area: Area;
  chosen: boolean;
  error: string | undefined;
  onChoose: () => void;
  onRename: (name: string) => void;
  onRemove: () => void;
}

function Entry({ area, chosen, error, onChoose, onRename, onRemove }: EntryProps) {
  const { label, hint } = AREA_KINDS[area.kind];
  const Icon = ICONS[area.kind];
  const title = area.kind === 'zone' && area.name.trim() !== '' ? area.name : label;
  return (
    <div className={`rounded-lg border p-3 ${chosen ? 'border-accent bg-accent-soft' : 'border-line'}`}>
      <div className="flex items-center gap-2">
        <button
          type="button"
          aria-expanded={chosen}
          className="flex min-w-0 flex-1 items-center gap-2 rounded text-left text-sm font-medium pointer-coarse:min-h-11"
          onClick={onChoose}
        >
          <Icon aria-hidden className="size-4 shrink-0" style={{ color: COLOURS[area.kind] }} />
          <span className="truncate">{title}</span>
          <span className="num ml-auto shrink-0 text-xs font-normal text-dim">
            {area.points.length} corners
          </span>
        </button>
        <button
          type="button"
          className="btn btn-icon btn-quiet"
          aria-label={`Delete ${title}`}
          onClick={onRemove}
        >
          <Trash2 aria-hidden className="size-4" />
        </button>
      </div>
      {(chosen || error !== undefined) && area.kind === 'zone' && (
        <div className="mt-3">
          <TextField label="Zone name" value={area.name} maxLength={100} error={error} onChange={onRename} />
        </div>
      )}
      {chosen && (
        <p className="mt-2 text-xs text-dim">
          {hint} Drag its corners, or choose one and use the arrow keys; Delete takes it away, the small plus
          adds one.
        </p>
      )}
    </div>
  );
}

interface CornersProps {
  area: Area;
  onChange: (points: Point[]) => void;
}

/** The corners of one area as buttons, and between them smaller ones that add a corner. */
function Corners({ area: { points, kind }, onChange }: CornersProps) {
  const layer = useRef<HTMLDivElement>(null);
  const drag = (index: number) => (event: PointerEvent<HTMLButtonElement>) => {
    const box = layer.current?.getBoundingClientRect();
    if (!box || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const place: Point = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    onChange(movedTo(points, index, place));
  };
  const press = (index: number) => (event: KeyboardEvent) => {
    const [x, y] = points[index] ?? [0, 0];
    const step = stepOf(event.key, event.shiftKey);
    if (step) onChange(movedTo(points, index, [x + step[0], y + step[1]]));
    else if (event.key === 'Delete' || event.key === 'Backspace') onChange(withoutCorner(points, index));
    else return;
    event.preventDefault();
  };
  return (
    <div ref={layer} className="pointer-events-none absolute inset-0">
      {points.map(([x, y], index) => {
        const [nextX, nextY] = points[(index + 1) % points.length] ?? [x, y];
        return (
          <div key={index}>
            <button
              type="button"
              aria-label={`Add a corner after corner ${index + 1}`}
              className="pointer-events-auto absolute grid size-5 -translate-1/2 place-items-center rounded-full bg-black/60 text-white pointer-coarse:size-7"
              style={{ left: `${((x + nextX) / 2) * 100}%`, top: `${((y + nextY) / 2) * 100}%` }}
              onClick={() => onChange(withCorner(points, index))}
            >
              <Plus aria-hidden className="size-3" />
            </button>
            <button
              type="button"
              aria-label={`Corner ${index + 1} of ${points.length}: ${percent(x)} from the left, ${percent(y)} from the top`}
              className="pointer-events-auto absolute z-10 size-6 -translate-1/2 cursor-move touch-none rounded-full border-2 border-white pointer-coarse:size-9"
              style={{ left: `${x * 100}%`, top: `${y * 100}%`, background: COLOURS[kind] }}
              onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
              onPointerMove={drag(index)}
              onKeyDown={press(index)}
            />
          </div>
        );
      })}
    </div>
  );
}
