import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HealthState } from '../src/api/types';
import { parseFrame } from '../src/live/frame';
import { emptyPlaces, wallHeight, wallLayout } from '../src/live/layout';
import { LiveLink, liveAddress, pauseMs, type Mode, type Socket } from '../src/live/link';
import { parseMessage } from '../src/live/message';
import { SnapshotPoller, type Snapshot } from '../src/live/poller';
import { tileStatus, type TileFacts } from '../src/live/tileStatus';
import { pictureWidth, tilesOf } from '../src/live/wall';

const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';

function frameBytes({ version = 1, id = ID, seconds = 1_700_000_000.25, jpeg = [0xff, 0xd8, 0xff] } = {}) {
  const idBytes = new TextEncoder().encode(id);
  const buffer = new ArrayBuffer(10 + idBytes.length + jpeg.length);
  const view = new DataView(buffer);
  view.setUint8(0, version);
  view.setUint8(1, idBytes.length);
  view.setFloat64(2, seconds);
  new Uint8Array(buffer, 10).set([...idBytes, ...jpeg]);
  return buffer;
}

describe('a frame', () => {
  it('is read from its parts', () => {
    const frame = parseFrame(frameBytes());

    expect(frame?.id).toBe(ID);
    expect(frame?.capturedMs).toBe(1_700_000_000_250);
    expect([...(frame?.jpeg ?? [])]).toEqual([0xff, 0xd8, 0xff]);
  });

  it.each([
    ['nothing', new ArrayBuffer(0)],
    ['a head without a body', new ArrayBuffer(10)],
    ['another version', frameBytes({ version: 2 })],
    ['no id', frameBytes({ id: '' })],
    ['no picture', frameBytes({ jpeg: [] })],
    ['an id longer than the message', frameBytes().slice(0, 20)],
    ['a time that is no number', frameBytes({ seconds: Number.NaN })],
  ])('is not read from %s', (_what, buffer) => {
    expect(parseFrame(buffer)).toBeNull();
  });
});

describe('a message', () => {
  it.each(['event', 'alert'])('of type %s is taken with its content', (type) => {
    expect(parseMessage(JSON.stringify({ type, [type]: { id: ID } }))).toEqual({ type, [type]: { id: ID } });
  });

  it('about health is taken with its content only', () => {
    const message = { type: 'health', template_id: ID, health: { state: 'frozen' } };

    expect(parseMessage(JSON.stringify(message))).toEqual(message);
    expect(parseMessage(JSON.stringify({ ...message, health: 'frozen' }))).toBeNull();
  });

  it('about a state is taken', () => {
    const message = { type: 'state', template_id: ID, stream: { state: 'live' } };

    expect(parseMessage(JSON.stringify(message))).toEqual(message);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '"event"',
    '{"type":"event"}',
    '{"type":"event","event":1}',
    '{"type":"new"}',
  ])('that makes no sense is passed over: %s', (text) => {
    expect(parseMessage(text)).toBeNull();
  });
});

class FakeSocket implements Socket {
  binaryType = '';
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  sent: unknown[] = [];
  closed = false;

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
    this.onclose?.();
  }
}

describe('the link', () => {
  const sockets: FakeSocket[] = [];
  const modes: Mode[] = [];
  let link: LiveLink;
  const latest = () => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    sockets.length = 0;
    modes.length = 0;
    link = new LiveLink(() => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    });
  });
  afterEach(() => vi.useRealTimers());

  it('opens for the first listener and closes after the last', () => {
    const first = link.listen({});
    const second = link.listen({});
    first();

    expect(sockets).toHaveLength(1);
    expect(latest().closed).toBe(false);

    second();

    expect(latest().closed).toBe(true);
    vi.runAllTimers();
    expect(sockets).toHaveLength(1);
  });

  it('says which tiles are seen when it opens and when they change, and not twice', () => {
    link.listen({});
    link.show([{ id: 'a', fps: 5, w: 640 }]);
    latest().onopen?.();
    link.show([{ id: 'a', fps: 5, w: 640 }]);
    link.show([]);

    expect(latest().sent).toEqual([{ tiles: [{ id: 'a', fps: 5, w: 640 }] }, { tiles: [] }]);
  });

  it('hands on frames and messages, and nothing broken', () => {
    const frames: string[] = [];
    const types: string[] = [];
    link.listen({ frame: ({ id }) => frames.push(id), message: ({ type }) => types.push(type) });
    for (const data of [frameBytes(), new ArrayBuffer(3), '{', '{"type":"alert","alert":{"id":"x"}}']) {
      latest().onmessage?.({ data });
    }

    expect(frames).toEqual([ID]);
    expect(types).toEqual(['alert']);
  });

  it('comes back by itself, asks for polling after the second failure, and ends that when it opens', () => {
    link.listen({ mode: (mode) => modes.push(mode) });
    latest().onclose?.();
    vi.runOnlyPendingTimers();
    latest().onclose?.();

    expect(modes).toEqual(['polling']);

    vi.runOnlyPendingTimers();
    latest().onopen?.();

    expect(sockets).toHaveLength(3);
    expect(modes).toEqual(['polling', 'open']);
  });

  it('shows the same tiles again after it was lost', () => {
    link.listen({});
    link.show([{ id: 'a', fps: 5, w: 320 }]);
    latest().onopen?.();
    latest().onclose?.();
    vi.runOnlyPendingTimers();
    latest().onopen?.();

    expect(sockets).toHaveLength(2);
    expect(latest().sent).toEqual([{ tiles: [{ id: 'a', fps: 5, w: 320 }] }]);
  });

  it('waits longer after each failure, up to a limit', () => {
    expect([1, 2, 3, 20].map((failures) => pauseMs(failures, 0.5))).toEqual([500, 1000, 2000, 15_000]);
    expect(pauseMs(1, 0)).toBeLessThan(pauseMs(1, 1));
  });

  it('is encrypted where the page is', () => {
    expect(liveAddress({ protocol: 'https:', host: 'cams.example.org' })).toBe(
      'wss://cams.example.org/api/live',
    );
    expect(liveAddress({ protocol: 'http:', host: 'localhost:8080' })).toBe('ws://localhost:8080/api/live');
  });
});

describe('polling', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const picture: Snapshot = { jpeg: new Blob(), capturedMs: 0 };
  const tiles = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: `t${index}`, fps: 5, w: 320 }));

  it('has at most four requests under way', () => {
    const asked: string[] = [];
    const poller = new SnapshotPoller(
      (tile) => {
        asked.push(tile.id);
        return new Promise(() => undefined);
      },
      () => undefined,
    );
    poller.show(tiles(9));
    poller.start();
    vi.advanceTimersByTime(5000);
    poller.stop();

    expect(asked).toEqual(['t0', 't1', 't2', 't3']);
  });

  it('takes turns, so that every tile gets its picture', async () => {
    const shown = new Set<string>();
    const poller = new SnapshotPoller(
      () => Promise.resolve(picture),
      (id) => shown.add(id),
    );
    poller.show(tiles(9));
    poller.start();
    await vi.advanceTimersByTimeAsync(1000);
    poller.stop();

    expect(shown.size).toBe(9);
  });

  it('drops what arrives after it has ended', async () => {
    const deliver = vi.fn();
    let answer: (snapshot: Snapshot) => void = () => undefined;
    const poller = new SnapshotPoller(() => new Promise((resolve) => (answer = resolve)), deliver);
    poller.show(tiles(1));
    poller.start();
    poller.stop();
    answer(picture);
    await vi.advanceTimersByTimeAsync(0);

    expect(deliver).not.toHaveBeenCalled();
  });
});

describe('tiles', () => {
  it('of one view are asked for once, at the size and rate of the largest', () => {
    const small = { id: 'b', fps: 2, canvas: { clientWidth: 300 } };
    const large = { id: 'b', fps: 10, canvas: { clientWidth: 900 } };
    const other = { id: 'a', fps: 5, canvas: { clientWidth: 640 } };

    expect(tilesOf([small, large, other])).toEqual([
      { id: 'a', fps: 5, w: 640 },
      { id: 'b', fps: 10, w: 1280 },
    ]);
  });

  it.each([
    [1, 320],
    [320, 320],
    [401, 640],
    [4000, 1280],
  ])('%i pixels wide take pictures of %i', (px, width) => {
    expect(pictureWidth(px)).toBe(width);
  });
});

describe('the layout', () => {
  const screen = { width: 1190, height: 780 };

  it('is one column on a phone and for one view', () => {
    expect(wallLayout(6, { width: 358, height: 700 }, false)).toEqual({ columns: 1, hero: false });
    expect(wallLayout(1, screen, false)).toEqual({ columns: 1, hero: false });
  });

  it('puts few views into two columns', () => {
    expect([2, 3, 4].map((tiles) => wallLayout(tiles, screen, false))).toEqual(
      [2, 3, 4].map(() => ({ columns: 2, hero: false })),
    );
  });

  it.each([5, 6, 7, 8, 9, 10, 11, 12])(
    'shows %i views without scrolling, with at most three holes',
    (tiles) => {
      const layout = wallLayout(tiles, screen, false);

      expect(wallHeight(tiles, layout, screen)).toBeLessThanOrEqual(screen.height);
      expect(emptyPlaces(tiles, layout)).toBeLessThanOrEqual(3);
    },
  );

  it('makes one of five or six views large', () => {
    expect([5, 6].map((tiles) => wallLayout(tiles, screen, false))).toEqual(
      [5, 6].map(() => ({ columns: 3, hero: true })),
    );
  });

  it('keeps tiles large enough to see when there are too many for the screen', () => {
    expect(wallLayout(100, screen, false)).toEqual({ columns: 4, hero: false });
  });

  it('has more and smaller tiles when asked', () => {
    expect(wallLayout(20, { width: 1600, height: 900 }, true)).toEqual({ columns: 6, hero: false });
    expect(wallLayout(20, { width: 358, height: 700 }, true)).toEqual({ columns: 2, hero: false });
  });
});

describe('a tile', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  const facts = (change: Partial<TileFacts>, stream: Partial<TileFacts['stream']> = {}): TileFacts => ({
    enabled: true,
    pictureMs: now - 200,
    shownSinceMs: now - 60_000,
    refusal: null,
    nowMs: now,
    health: {
      state: 'ok',
      since: '2026-03-01T11:00:00Z',
      reason: null,
      last_good_at: null,
      last_good_artifact_id: null,
    },
    ...change,
    stream: {
      state: 'live',
      since: '2026-03-01T11:00:00Z',
      fps: 10,
      width: 640,
      height: 360,
      reason: null,
      ...stream,
    },
  });

  it('is live with a fresh picture', () => {
    expect(tileStatus(facts({}))).toEqual({ kind: 'live', label: '10 fps', reason: null });
  });

  it('never calls an old picture live, whatever the server says of the stream', () => {
    expect(tileStatus(facts({ pictureMs: now - 12_000 }))).toMatchObject({ kind: 'old', label: '12 s old' });
  });

  it('is patient with a slow view, and says how old its picture is', () => {
    expect(tileStatus(facts({ pictureMs: now - 40_000 }, { fps: 1 / 30 }))).toEqual({
      kind: 'recent',
      label: '40 s ago',
      reason: null,
    });
    expect(tileStatus(facts({ pictureMs: now - 100_000 }, { fps: 1 / 30 })).kind).toBe('old');
  });

  it('of a slow view whose rhythm nobody knows yet has its age, and gets old', () => {
    expect(tileStatus(facts({ pictureMs: now - 40_000 }, { fps: 0 })).kind).toBe('recent');
    expect(tileStatus(facts({ pictureMs: now - 200_000 }, { fps: 0 })).kind).toBe('old');
  });

  it('without any picture says so after a while', () => {
    expect(tileStatus(facts({ pictureMs: null, shownSinceMs: now })).label).toBe('Loading');
    expect(tileStatus(facts({ pictureMs: null })).label).toBe('No picture yet');
  });

  it('that the server refuses says why, until it has a picture', () => {
    const refusal = 'Too many streams.';

    expect(tileStatus(facts({ pictureMs: null, refusal }))).toMatchObject({ kind: 'bad', reason: refusal });
    expect(tileStatus(facts({ refusal })).kind).toBe('live');
  });

  it.each(['stalled', 'backoff', 'failed'] as const)('that is %s gives the reason', (state) => {
    const status = tileStatus(facts({}, { state, reason: 'Connection refused' }));

    expect(status.kind).toBe('bad');
    expect(status.label).toMatch(/since \d\d:\d\d$/);
    expect(status.reason).toBe('Connection refused');
  });

  const unwell = (state: HealthState): TileFacts['health'] => ({
    ...facts({}).health,
    state,
    reason: 'Look at it.',
  });

  it.each([
    ['moved', 'unwell', 'Moved or covered'],
    ['blank', 'unwell', 'Blank picture'],
    ['frozen', 'old', 'Frozen'],
  ] as const)('whose fresh pictures are %s is %s', (state, kind, label) => {
    expect(tileStatus(facts({ health: unwell(state) }))).toEqual({ kind, label, reason: 'Look at it.' });
  });

  it('is as its stream is where health says no more than that', () => {
    expect(tileStatus(facts({ health: unwell('unknown') })).kind).toBe('live');
    expect(tileStatus(facts({ health: unwell('down') }, { state: 'backoff' })).label).toMatch(/^Offline/);
    expect(tileStatus(facts({ enabled: false, health: unwell('frozen') })).kind).toBe('off');
    expect(tileStatus(facts({ pictureMs: null, health: unwell('moved') })).kind).toBe('waiting');
  });

  it('of a source that is switched off is neither live nor broken', () => {
    expect(tileStatus(facts({ enabled: false }, { state: 'backoff' })).kind).toBe('off');
  });
});
