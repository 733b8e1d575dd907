/** Brings pictures to those canvases that can be seen. */

import { serverNow } from '../api/clock';
import type { LiveLink, Mode, Tile } from './link';
import { SnapshotPoller, type Snapshot, type TakeSnapshot } from './poller';

export interface Screen {
  id: string;
  fps: number;
  canvas: HTMLCanvasElement;
  /** Called after each drawn picture with the time it was captured at, in the server's clock. */
  drawn(capturedMs: number): void;
}

const MARGIN = '150px';
const SETTLE_MS = 50;
const WIDTHS_PX = [320, 640, 1280];

export class Wall {
  readonly #link: LiveLink;
  readonly #poller: SnapshotPoller;
  readonly #screens = new Map<Element, Screen>();
  readonly #visible = new Set<Screen>();
  readonly #decoding = new Set<Screen>();
  #observer: IntersectionObserver | null = null;
  #unlisten: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(link: LiveLink, take: TakeSnapshot) {
    this.#link = link;
    this.#poller = new SnapshotPoller(take, (id, snapshot) => this.#show(id, snapshot));
  }

  /** Feeds a canvas until the returned function is called. */
  attach(screen: Screen): () => void {
    if (this.#screens.size === 0) this.#begin();
    this.#screens.set(screen.canvas, screen);
    this.#observer?.observe(screen.canvas);
    return () => {
      this.#observer?.unobserve(screen.canvas);
      this.#screens.delete(screen.canvas);
      this.#visible.delete(screen);
      if (this.#screens.size === 0) this.#end();
      this.#tell();
    };
  }

  #begin(): void {
    this.#observer = new IntersectionObserver((entries) => this.#changed(entries), { rootMargin: MARGIN });
    document.addEventListener('visibilitychange', this.#tell);
    this.#unlisten = this.#link.listen({
      frame: (frame) => this.#show(frame.id, { jpeg: new Blob([frame.jpeg]), capturedMs: frame.capturedMs }),
      mode: (mode) => this.#follow(mode),
    });
    this.#follow(this.#link.mode);
  }

  #end(): void {
    this.#observer?.disconnect();
    document.removeEventListener('visibilitychange', this.#tell);
    this.#poller.stop();
    this.#link.show([]);
    this.#unlisten?.();
  }

  #follow(mode: Mode): void {
    if (mode === 'polling') this.#poller.start();
    else if (mode === 'open') this.#poller.stop();
  }

  #changed(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const screen = this.#screens.get(target);
      if (!screen) continue;
      if (isIntersecting) this.#visible.add(screen);
      else this.#visible.delete(screen);
    }
    this.#tell();
  }

  /** Scrolling changes many tiles at once: the server hears of it when they have settled. */
  readonly #tell = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const tiles = document.hidden ? [] : tilesOf(this.#visible);
      this.#link.show(tiles);
      this.#poller.show(tiles);
    }, SETTLE_MS);
  };

  #show(id: string, snapshot: Snapshot): void {
    for (const screen of this.#visible) {
      // A screen that is still decoding skips this picture: the newest one counts, not every one.
      if (screen.id === id && !this.#decoding.has(screen)) void this.#draw(screen, snapshot);
    }
  }

  async #draw(screen: Screen, { jpeg, capturedMs }: Snapshot): Promise<void> {
    this.#decoding.add(screen);
    try {
      const bitmap = await createImageBitmap(jpeg);
      paint(screen.canvas, bitmap);
      bitmap.close();
      screen.drawn(capturedMs);
    } catch {
      // A picture that cannot be decoded is not drawn; the age of the last one shows.
    } finally {
      this.#decoding.delete(screen);
    }
  }
}

function paint(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
}

/** One tile for each view: the widest and fastest that any of its screens wants. */
export function tilesOf(
  screens: Iterable<Pick<Screen, 'id' | 'fps'> & { canvas: { clientWidth: number } }>,
): Tile[] {
  const tiles = new Map<string, Tile>();
  for (const { id, fps, canvas } of screens) {
    const known = tiles.get(id);
    const w = pictureWidth(canvas.clientWidth * (globalThis.devicePixelRatio || 1));
    tiles.set(id, { id, fps: Math.max(fps, known?.fps ?? 0), w: Math.max(w, known?.w ?? 0) });
  }
  return [...tiles.values()].sort((a, b) => a.id.localeCompare(b.id));
}

/** The smallest width the server scales to that fills so many pixels, or the largest there is. */
export function pictureWidth(px: number): number {
  return WIDTHS_PX.find((width) => width >= px * 0.8) ?? 1280;
}

/** Fetches the newest picture of a view. */
export async function takeSnapshot(tile: Tile): Promise<Snapshot | null> {
  const address = `/api/stream/${encodeURIComponent(tile.id)}/snapshot?w=${tile.w}`;
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) return null;
  const captured = Date.parse(response.headers.get('x-captured-at') ?? '');
  return { jpeg: await response.blob(), capturedMs: Number.isNaN(captured) ? serverNow() : captured };
}
