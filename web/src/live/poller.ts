/** Pictures one by one, for when the socket does not come up: a few requests at a time, in turn. */

import type { Tile } from './link';

export interface Snapshot {
  jpeg: Blob;
  capturedMs: number;
}

/** Gives null when the view has no picture now. */
export type TakeSnapshot = (tile: Tile) => Promise<Snapshot | null>;
export type Deliver = (id: string, snapshot: Snapshot) => void;

const MAX_IN_FLIGHT = 4;
const SHORTEST_PERIOD_MS = 1000;
const TICK_MS = 250;

export class SnapshotPoller {
  readonly #take: TakeSnapshot;
  readonly #deliver: Deliver;
  readonly #dueMs = new Map<string, number>();
  #tiles: readonly Tile[] = [];
  #inFlight = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(take: TakeSnapshot, deliver: Deliver) {
    this.#take = take;
    this.#deliver = deliver;
  }

  show(tiles: readonly Tile[]): void {
    this.#tiles = tiles;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = Date.now();
    const due = this.#tiles
      .filter((tile) => !this.#inFlight.has(tile.id) && (this.#dueMs.get(tile.id) ?? 0) <= now)
      .sort((a, b) => (this.#dueMs.get(a.id) ?? 0) - (this.#dueMs.get(b.id) ?? 0));
    for (const tile of due.slice(0, MAX_IN_FLIGHT - this.#inFlight.size)) {
      this.#dueMs.set(tile.id, now + Math.max(SHORTEST_PERIOD_MS, 1000 / tile.fps));
      void this.#fetch(tile);
    }
  }

  async #fetch(tile: Tile): Promise<void> {
    this.#inFlight.add(tile.id);
    try {
      const snapshot = await this.#take(tile);
      const wanted = this.#timer !== undefined && this.#tiles.some(({ id }) => id === tile.id);
      if (snapshot && wanted) this.#deliver(tile.id, snapshot);
    } finally {
      this.#inFlight.delete(tile.id);
    }
  }
}
