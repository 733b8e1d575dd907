/** Areas of a picture as the editor holds them. Points are fractions of its width and height. */

import type { Template } from '../api/types';

export type AreaKind = 'zone' | 'motion' | 'privacy';
export type Point = readonly [number, number];

export interface Area {
  /** Of this page alone: tells areas apart while they change. */
  key: number;
  kind: AreaKind;
  /** Of zones only. */
  name: string;
  points: readonly Point[];
}

export interface AreaFields {
  zones: { name: string; points: number[][] }[];
  motion_masks: number[][][];
  privacy_masks: number[][][];
}

export const AREA_KINDS: Record<AreaKind, { label: string; hint: string }> = {
  zone: { label: 'Zone', hint: 'Motion counts in zones only, and rules can ask for one by its name.' },
  motion: { label: 'Ignored for motion', hint: 'What moves in here is no motion. It stays to be seen.' },
  privacy: {
    label: 'Privacy mask',
    hint: 'Painted black before anything is shown or kept. What was stored before stays as it is.',
  },
};

export const MAX_POINTS = 64;
export const MAX_AREAS = 32;
const LEAST_POINTS = 3;
const DIGITS = 1000;

type Known = Pick<Template, 'zones' | 'motion_masks' | 'privacy_masks'>;

export function areasOf({ zones, motion_masks, privacy_masks }: Known): Area[] {
  const found = [
    ...zones.map(({ name, points }) => ({ kind: 'zone' as const, name, points })),
    ...motion_masks.map((points) => ({ kind: 'motion' as const, name: '', points })),
    ...privacy_masks.map((points) => ({ kind: 'privacy' as const, name: '', points })),
  ];
  return found.map((area, key) => ({ ...area, key, points: area.points as unknown as Point[] }));
}

export function fieldsOfAreas(areas: readonly Area[]): AreaFields {
  const drawn = (kind: AreaKind) => areas.filter((area) => area.kind === kind);
  const plain = ({ points }: Area) => points.map(([x, y]) => [x, y]);
  return {
    zones: drawn('zone').map((area) => ({ name: area.name.trim(), points: plain(area) })),
    motion_masks: drawn('motion').map(plain),
    privacy_masks: drawn('privacy').map(plain),
  };
}

/** Begins an area in the middle of the picture, a little beside the last one. */
export function withNew(areas: readonly Area[], kind: AreaKind): Area[] {
  const shift = (areas.length % 5) * 0.04;
  const [low, high] = [0.3 + shift, 0.6 + shift].map(rounded) as [number, number];
  const points: Point[] = [
    [low, low],
    [high, low],
    [high, high],
    [low, high],
  ];
  const key = Math.max(-1, ...areas.map((area) => area.key)) + 1;
  return [...areas, { key, kind, name: kind === 'zone' ? freeName(areas) : '', points }];
}

export function without(areas: readonly Area[], key: number): Area[] {
  return areas.filter((area) => area.key !== key);
}

export function changed(areas: readonly Area[], key: number, change: Partial<Omit<Area, 'key'>>): Area[] {
  return areas.map((area) => (area.key === key ? { ...area, ...change } : area));
}

/** Puts one corner somewhere else, inside the picture. */
export function movedTo(points: readonly Point[], index: number, [x, y]: Point): Point[] {
  return points.map((point, at) => (at === index ? [inside(x), inside(y)] : point));
}

/** Puts a corner in the middle of the line that begins at `index`. */
export function withCorner(points: readonly Point[], index: number): Point[] {
  const from = points[index];
  const to = points[(index + 1) % points.length];
  if (!from || !to || points.length >= MAX_POINTS) return [...points];
  const middle: Point = [inside((from[0] + to[0]) / 2), inside((from[1] + to[1]) / 2)];
  return [...points.slice(0, index + 1), middle, ...points.slice(index + 1)];
}

/** Takes a corner away; three always stay. */
export function withoutCorner(points: readonly Point[], index: number): Point[] {
  return points.length > LEAST_POINTS ? points.filter((_, at) => at !== index) : [...points];
}

/** How far a key moves a corner; null for keys that do something else. */
export function stepOf(key: string, wide: boolean): Point | null {
  const step = wide ? 0.05 : 0.01;
  switch (key) {
    case 'ArrowLeft':
      return [-step, 0];
    case 'ArrowRight':
      return [step, 0];
    case 'ArrowUp':
      return [0, -step];
    case 'ArrowDown':
      return [0, step];
    default:
      return null;
  }
}

/** By the server's pointers. Only zones have something to get wrong here. */
export function checkAreas(areas: readonly Area[]): Record<number, string> {
  const seen = new Set<string>();
  const wrong: Record<number, string> = {};
  for (const { key, kind, name } of areas) {
    if (kind !== 'zone') continue;
    const known = name.trim();
    if (known === '') wrong[key] = 'A zone needs a name.';
    else if (seen.has(known)) wrong[key] = 'Another zone has this name.';
    seen.add(known);
  }
  return wrong;
}

function freeName(areas: readonly Area[]): string {
  const taken = new Set(areas.map(({ name }) => name));
  let number = 1;
  while (taken.has(`Zone ${number}`)) number += 1;
  return `Zone ${number}`;
}

function inside(value: number): number {
  return rounded(Math.min(1, Math.max(0, value)));
}

function rounded(value: number): number {
  return Math.round(value * DIGITS) / DIGITS;
}
