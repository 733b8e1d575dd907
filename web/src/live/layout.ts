/** How many columns a wall has and whether one view is large, so that few places stay empty. */

export interface Layout {
  columns: number;
  /** The first tile takes two columns and two rows. */
  hero: boolean;
}

/** Comfortable columns at the widths 640, 1024 and 1280 pixels. */
const MOST_COLUMNS: readonly [minWidth: number, columns: number][] = [
  [1280, 4],
  [1024, 3],
  [640, 2],
  [0, 1],
];

const FEW = 4;

export function wallLayout(tiles: number, widthPx: number, dense: boolean): Layout {
  const most = MOST_COLUMNS.find(([minWidth]) => widthPx >= minWidth)?.[1] ?? 1;
  if (dense) return { columns: Math.max(2, Math.min(tiles, most + (most > 2 ? 2 : 1))), hero: false };
  if (most === 1 || tiles <= 1) return { columns: 1, hero: false };
  if (tiles <= FEW || most === 2) return { columns: Math.min(2, tiles), hero: false };
  const choices = [most, most - 1].flatMap((columns) => [
    { columns, hero: true },
    { columns, hero: false },
  ]);
  return choices.reduce((best, next) => (emptyPlaces(tiles, next) < emptyPlaces(tiles, best) ? next : best));
}

export function emptyPlaces(tiles: number, { columns, hero }: Layout): number {
  const places = tiles + (hero ? 3 : 0);
  return (columns - (places % columns)) % columns;
}
