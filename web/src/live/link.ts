/**
 * The one socket to the server. A browser opens only six HTTP/1.1 connections to a host, so a wall of streams
 * over HTTP would leave none for anything else; here all tiles share one.
 */

import { parseFrame, type Frame } from './frame';
import { parseMessage, type LiveMessage } from './message';

export interface Tile {
  id: string;
  fps: number;
  /** Width of the wanted pictures in pixels. */
  w: number;
}

/** `polling`: the socket failed more than once, and pictures must come another way until it opens. */
export type Mode = 'connecting' | 'open' | 'polling';

export interface Listener {
  frame?(frame: Frame): void;
  message?(message: LiveMessage): void;
  mode?(mode: Mode): void;
}

/** The part of WebSocket that is used. */
export interface Socket {
  binaryType: string;
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(text: string): void;
  close(): void;
}

const FAILURES_UNTIL_POLLING = 2;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export class LiveLink {
  mode: Mode = 'connecting';
  readonly #connect: () => Socket;
  readonly #listeners = new Set<Listener>();
  #socket: Socket | null = null;
  #tiles: readonly Tile[] = [];
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connect: () => Socket) {
    this.#connect = connect;
  }

  /** Opens the link for the first listener and closes it after the last. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#close();
    };
  }

  /** Says which tiles can be seen; the server sends frames for these and no others. */
  show(tiles: readonly Tile[]): void {
    if (JSON.stringify(tiles) === JSON.stringify(this.#tiles)) return;
    this.#tiles = tiles;
    if (this.mode === 'open') this.#sendTiles();
  }

  #open(): void {
    const socket = this.#connect();
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.#failures = 0;
      this.#setMode('open');
      this.#sendTiles();
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = () => this.#lost(socket);
    this.#socket = socket;
  }

  #lost(socket: Socket): void {
    if (socket !== this.#socket) return;
    this.#failures += 1;
    this.#setMode(this.#failures >= FAILURES_UNTIL_POLLING ? 'polling' : 'connecting');
    this.#timer = setTimeout(() => this.#open(), pauseMs(this.#failures, Math.random()));
  }

  #close(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#failures = 0;
    this.mode = 'connecting';
    socket?.close();
  }

  #receive(data: unknown): void {
    if (typeof data === 'string') {
      const message = parseMessage(data);
      if (message) for (const listener of this.#listeners) listener.message?.(message);
    } else if (data instanceof ArrayBuffer) {
      const frame = parseFrame(data);
      if (frame) for (const listener of this.#listeners) listener.frame?.(frame);
    }
  }

  #setMode(mode: Mode): void {
    if (mode === this.mode) return;
    this.mode = mode;
    for (const listener of this.#listeners) listener.mode?.(mode);
  }

  #sendTiles(): void {
    this.#socket?.send(JSON.stringify({ tiles: this.#tiles }));
  }
}

/** Doubles with every failure up to a limit, and spreads clients out; `random` is from 0 to 1. */
export function pauseMs(failures: number, random: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return pause * (0.7 + 0.6 * random);
}

export function liveAddress(page: { protocol: string; host: string }): string {
  return `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}/api/live`;
}
