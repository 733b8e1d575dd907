import { describe, expect, it } from 'vitest';
import {
  areasOf,
  changed,
  checkAreas,
  fieldsOfAreas,
  MAX_POINTS,
  movedTo,
  stepOf,
  withCorner,
  withNew,
  without,
  withoutCorner,
  type Point,
} from '../src/sources/areas';

const TRIANGLE: Point[] = [
  [0, 0],
  [1, 0],
  [0.5, 1],
];
const TEMPLATE = {
  zones: [{ name: 'door', points: TRIANGLE }],
  motion_masks: [TRIANGLE],
  privacy_masks: [TRIANGLE, TRIANGLE],
} as unknown as Parameters<typeof areasOf>[0];

describe('areas', () => {
  it('are read from a source and written back as they were', () => {
    const areas = areasOf(TEMPLATE);

    expect(areas.map(({ kind, name }) => [kind, name])).toEqual([
      ['zone', 'door'],
      ['motion', ''],
      ['privacy', ''],
      ['privacy', ''],
    ]);
    expect(new Set(areas.map(({ key }) => key)).size).toBe(4);
    expect(fieldsOfAreas(areas)).toEqual(TEMPLATE);
  });

  it('begin as rectangles inside the picture, each with a key and each zone with a name of its own', () => {
    let areas = areasOf(TEMPLATE);
    for (const kind of ['zone', 'zone', 'privacy', 'motion', 'zone', 'zone'] as const)
      areas = withNew(areas, kind);

    const names = areas.filter(({ kind }) => kind === 'zone').map(({ name }) => name);
    expect(names).toEqual(['door', 'Zone 1', 'Zone 2', 'Zone 3', 'Zone 4']);
    expect(new Set(areas.map(({ key }) => key)).size).toBe(10);
    for (const point of areas.flatMap(({ points }) => points))
      for (const value of point) expect(value >= 0 && value <= 1).toBe(true);
  });

  it('are changed and removed by their keys, and a removed key is no trouble', () => {
    const areas = areasOf(TEMPLATE);
    const renamed = changed(areas, areas[0]?.key ?? -1, { name: 'gate' });

    expect(renamed[0]?.name).toBe('gate');
    expect(without(renamed, 0).map(({ kind }) => kind)).toEqual(['motion', 'privacy', 'privacy']);
    expect(without(areas, 99)).toEqual(areas);
  });

  it('of which zones have no name, or the same, are told of', () => {
    const areas = withNew(withNew(areasOf(TEMPLATE), 'zone'), 'zone');
    const [first, , , , second, third] = areas;
    const wrong = changed(changed(areas, second?.key ?? -1, { name: ' ' }), third?.key ?? -1, {
      name: ' door ',
    });

    expect(checkAreas(areas)).toEqual({});
    expect(Object.keys(checkAreas(wrong))).toEqual([String(second?.key), String(third?.key)]);
    expect(first?.name).toBe('door');
  });
});

describe('a corner', () => {
  it('goes where it is put, and never out of the picture', () => {
    expect(movedTo(TRIANGLE, 1, [0.25, 0.5])[1]).toEqual([0.25, 0.5]);
    expect(movedTo(TRIANGLE, 1, [1.5, -3])[1]).toEqual([1, 0]);
    expect(movedTo(TRIANGLE, 1, [0.123456, 0.1])[1]).toEqual([0.123, 0.1]);
    expect(movedTo(TRIANGLE, 9, [0, 0])).toEqual(TRIANGLE);
  });

  it('is added in the middle of a line, also of the last', () => {
    expect(withCorner(TRIANGLE, 0)).toEqual([
      [0, 0],
      [0.5, 0],
      [1, 0],
      [0.5, 1],
    ]);
    expect(withCorner(TRIANGLE, 2).at(-1)).toEqual([0.25, 0.5]);
  });

  it('is not added beyond what the server takes', () => {
    const full = Array.from({ length: MAX_POINTS }, (): Point => [0.5, 0.5]);

    expect(withCorner(full, 0)).toHaveLength(MAX_POINTS);
  });

  it('can be taken away as long as three stay', () => {
    expect(withoutCorner(withCorner(TRIANGLE, 0), 1)).toEqual(TRIANGLE);
    expect(withoutCorner(TRIANGLE, 1)).toEqual(TRIANGLE);
  });

  it('is moved by the arrow keys, and further with Shift', () => {
    expect(stepOf('ArrowLeft', false)).toEqual([-0.01, 0]);
    expect(stepOf('ArrowDown', true)).toEqual([0, 0.05]);
    expect(stepOf('Tab', false)).toBeNull();
  });
});
