/** How many columns a wall has and whether one view is large: what shows most without scrolling. */

export interface Layout {
  columns: number;
  /** The first tile takes two columns and two rows. */
  hero: boolean;
}

export interface Room {
  width: number;
  height: number;
}

const NARROW_PX = 640;
const NARROWEST_TILE_PX = 240;
const MOST_COLUMNS = 6;
const COLUMNS_OF_SCROLLING = 4;
const FEWEST_WITH_HERO = 5;
/** So much of its worth a wall loses by a place that stays empty. */
const EMPTY_COSTS = 0.05;

export function wallLayout(tiles: number, room: Room, dense: boolean): Layout {
  const least = dense ? 2 : 1;
  if (tiles <= 1 || room.width < NARROW_PX)
    return { columns: Math.max(1, Math.min(least, tiles)), hero: false };
  const most = Math.max(2, Math.min(MOST_COLUMNS, Math.floor(room.width / NARROWEST_TILE_PX)));
  if (dense) return { columns: Math.min(tiles, most), hero: false };
  const fitting = choices(tiles, most).filter((layout) => wallHeight(tiles, layout, room) <= room.height);
  const [first, ...others] = fitting;
  if (!first) return { columns: Math.min(COLUMNS_OF_SCROLLING, most), hero: false };
  return others.reduce((best, next) => (worth(tiles, next) > worth(tiles, best) ? next : best), first);
}

function choices(tiles: number, most: number): Layout[] {
  const columns = Array.from({ length: most - 1 }, (_, index) => index + 2).filter((count) => count <= tiles);
  const plain = columns.map((count) => ({ columns: count, hero: false }));
  const withHero = columns.filter((count) => count > 2).map((count) => ({ columns: count, hero: true }));
  return tiles >= FEWEST_WITH_HERO ? [...withHero, ...plain] : plain;
}

export function emptyPlaces(tiles: number, { columns, hero }: Layout): number {
  const places = placesOf(tiles, hero);
  return (columns - (places % columns)) % columns;
}

export function wallHeight(tiles: number, { columns, hero }: Layout, { width }: Room): number {
  return (Math.ceil(placesOf(tiles, hero) / columns) * (width / columns) * 9) / 16;
}

/** The share of a wall's width squared that pictures cover, less for holes. */
function worth(tiles: number, layout: Layout): number {
  const covered = placesOf(tiles, layout.hero) / layout.columns ** 2;
  return covered * (1 - EMPTY_COSTS * emptyPlaces(tiles, layout));
}

function placesOf(tiles: number, hero: boolean): number {
  return tiles + (hero ? 3 : 0);
}
