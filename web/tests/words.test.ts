import { describe, expect, it } from 'vitest';
import { deliverySummary } from '../src/alerts/deliveries';
import { observeServerDate, serverNow } from '../src/api/clock';
import type { Channel, Delivery, GlimpserEvent, Kind, Rule } from '../src/api/types';
import { channelBody, channelValues, checkChannel } from '../src/channels/model';
import { fieldsOf } from '../src/forms/schema';
import { boxesOf } from '../src/events/boxes';
import { eventInWords } from '../src/events/words';
import { ago, dayBounds, dayName, duration, inFuture, localDay, span } from '../src/format/time';
import { percent, plural, rate } from '../src/format/words';
import {
  alertSearch,
  eventSearch,
  liveSearch,
  loginSearch,
  parseSearch,
  stringifySearch,
} from '../src/pages/search';
import { checkRule, newRule, ruleBody, ruleInWords, ruleValues } from '../src/rules/model';
import { may } from '../src/role';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const SECOND = 1000;
const DAY = 86_400_000;

describe('an age', () => {
  it.each([
    [0, 'now'],
    [12 * SECOND, '12 s ago'],
    [90 * SECOND, '1 min ago'],
    [5 * 3600 * SECOND, '5 h ago'],
  ])('of %i ms is "%s"', (age, text) => {
    expect(ago(NOW - age, NOW)).toBe(text);
  });

  it('of more than a day is a date', () => {
    expect(ago(NOW - 2 * DAY, NOW)).toMatch(/^27 Feb, \d\d:\d\d$/);
  });

  it('in the future is a wait', () => {
    expect(inFuture(NOW + 90 * SECOND, NOW)).toBe('in 1 min');
    expect(inFuture(NOW - 1, NOW)).toBe('now');
  });

  it('has one unit, a duration two', () => {
    expect([span(400), span(2 * DAY), span(DAY)]).toEqual(['1 s', '2 days', '1 day']);
    expect([8, 60, 125, 3600, 3780].map((s) => duration(s * SECOND))).toEqual([
      '8 s',
      '1 min',
      '2 min 5 s',
      '1 h',
      '1 h 3 min',
    ]);
  });
});

describe('a day', () => {
  it('has the bounds of the viewer, however long it is', () => {
    const bounds = dayBounds('2026-03-29');

    expect(localDay(Date.parse(bounds?.from ?? ''))).toBe('2026-03-29');
    expect(localDay(Date.parse(bounds?.to ?? ''))).toBe('2026-03-30');
  });

  it.each(['', '2026-2-1', '2026-02-30', 'yesterday'])('is not "%s"', (text) => {
    expect(dayBounds(text)).toBeNull();
  });

  it('has a name when it is near', () => {
    expect(dayName(NOW, NOW)).toBe('Today');
    expect(dayName(NOW - DAY, NOW)).toBe('Yesterday');
    expect(dayName(NOW - 3 * DAY, NOW)).toBe('Thursday 26 February');
  });
});

describe('the clock of the server', () => {
  it('corrects a device whose own clock is wrong, and nothing else', () => {
    observeServerDate('Sun, 01 Mar 2026 12:00:00 GMT', NOW - 3600 * SECOND);
    expect(serverNow(NOW)).toBe(NOW + 3600 * SECOND + 500);

    observeServerDate('Sun, 01 Mar 2026 12:00:00 GMT', NOW + 900);
    expect(serverNow(NOW)).toBe(NOW);

    observeServerDate('nonsense', 0);
    observeServerDate(null, 0);
    expect(serverNow(NOW)).toBe(NOW);
  });
});

describe('numbers', () => {
  it('are short', () => {
    expect([0, 0.031, 0.5, 1].map(percent)).toEqual(['0 %', '3.1 %', '50 %', '100 %']);
    expect([25, 14.98, 1 / 30].map(rate)).toEqual(['25 fps', '15 fps', 'every 30 s']);
    expect([plural(1, 'source'), plural(2000, 'delivery', 'deliveries')]).toEqual([
      '1 source',
      '2,000 deliveries',
    ]);
  });
});

describe('an address', () => {
  it('keeps what makes sense and drops the rest', () => {
    expect(eventSearch({ kind: 'motion', level: 'loud', day: '2026-02-30', q: '', x: 'y' })).toEqual({
      kind: 'motion',
    });
    expect(alertSearch({ state: 'open' })).toEqual({ state: 'open' });
    expect(alertSearch({ state: 'toString' })).toEqual({});
    expect(liveSearch({ dense: 'yes', group: 'Home' })).toEqual({ dense: 'yes', group: 'Home' });
  });

  it('survives the way there and back', () => {
    const search = { q: 'a&b=c d', kind: '12' };

    expect(parseSearch(stringifySearch({ ...search, gone: undefined }))).toEqual(search);
    expect(stringifySearch({})).toBe('');
  });

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', ''])(
    'never leads to another site after signing in: %s',
    (next) => {
      expect(loginSearch({ next })).toEqual({});
    },
  );

  it('leads back to where one was', () => {
    expect(loginSearch({ next: '/events?kind=motion' })).toEqual({ next: '/events?kind=motion' });
  });
});

describe('an event', () => {
  const event = {
    kind: 'motion',
    message: 'Motion: Door',
    metadata: { score: 0.04 },
    started_at: '2026-03-01T12:00:00Z',
    ended_at: '2026-03-01T12:00:08Z',
  } as unknown as GlimpserEvent;

  it('says more than its kind and source', () => {
    expect(eventInWords(event, 'Door')).toBe('4.0 % of the picture, 8 s');
    expect(eventInWords({ ...event, ended_at: null }, 'Door')).toBe('4.0 % of the picture, still going on');
  });

  it('keeps a message of its own', () => {
    expect(eventInWords({ ...event, message: 'A cat' }, 'Door')).toBe('A cat');
    expect(eventInWords({ ...event, metadata: {} }, 'Door')).toBe('Motion: Door');
  });

  it('has only boxes that are boxes', () => {
    const box = { x: 0, y: 0.5, width: 0.1, height: 0.2 };

    expect(boxesOf({ boxes: [box, null, { x: 1 }, 'box'] })).toEqual([box]);
    expect(boxesOf({ boxes: 'none' })).toEqual([]);
    expect(boxesOf({})).toEqual([]);
  });
});

describe('a rule', () => {
  const rule: Rule = {
    id: 'R',
    name: 'Night',
    enabled: true,
    when: { event: 'motion', min_score: 0.05, zone: 'Path' },
    dedupe_s: 300,
    quiet_hours: [{ days: ['sat', 'sun'], from: '22:00', to: '07:00' }],
    timezone: 'Europe/Vienna',
    level: 'warning',
    channels: ['C'],
  };

  it('comes back from its form unchanged', () => {
    expect(ruleBody(ruleValues(rule), rule)).toEqual(rule);
  });

  it('about something else than motion has no score', () => {
    expect(ruleBody({ ...ruleValues(rule), event: 'health' }).when).toEqual({
      event: 'health',
      min_score: 0,
    });
  });

  it('reads as a sentence', () => {
    expect(ruleInWords(rule)).toBe(
      'Motion of more than 5.0 % in Path, at most every 5 min, quiet Sat, Sun 22:00–07:00',
    );
  });

  it('needs a name, a number and days', () => {
    const wrong = {
      ...newRule('UTC'),
      dedupeS: '-1',
      quietHours: [{ days: [], from: '22:00', to: '07:00' }],
    };

    expect(Object.keys(checkRule(wrong))).toEqual(['name', 'dedupe_s', 'quiet_hours']);
    expect(checkRule(ruleValues(rule))).toEqual({});
  });
});

describe('deliveries', () => {
  const all = (...states: Delivery['status'][]) => states.map((status) => ({ status }) as Delivery);

  it.each([
    [[], 'Nobody was told'],
    [['sent'], 'Sent to 1 channel'],
    [['sent', 'pending'], 'Being sent'],
    [['sent', 'retrying', 'pending'], '1 delivery being tried again'],
    [['dead', 'dead', 'retrying'], '2 deliveries failed'],
  ] as const)('%j: %s', (states, words) => {
    expect(deliverySummary(all(...states)).label).toBe(words);
  });
});

describe('a channel', () => {
  const kind: Kind = {
    kind: 'webhook',
    title: 'Webhook',
    description: '',
    schema: {
      required: ['url'],
      properties: {
        url: { type: 'string', title: 'Address' },
        secret: { type: 'string', writeOnly: true },
        headers: { type: 'object', additionalProperties: { type: 'string' }, default: {}, writeOnly: true },
      },
    },
  };
  const known = {
    name: 'Phone',
    kind: 'webhook',
    config: { url: 'https://example.org' },
  } as unknown as Channel;

  it('keeps all its secrets when only its name is changed', () => {
    const body = channelBody({ ...channelValues(kind, known), name: ' Tablet ' }, kind, true);

    expect(body).toEqual({ name: 'Tablet', kind: 'webhook', enabled: true, config: known.config });
  });

  it('sends a secret that was typed', () => {
    const values = channelValues(kind, known);
    const body = channelBody(
      { ...values, config: { ...values.config, headers: { 'X-A': '1' } } },
      kind,
      true,
    );

    expect(body.config).toEqual({ url: 'https://example.org', headers: { 'X-A': '1' } });
  });

  it('needs a name and what its kind needs', () => {
    expect(Object.keys(checkChannel(channelValues(kind), fieldsOf(kind.schema)))).toEqual([
      'name',
      'config/url',
    ]);
    expect(checkChannel(channelValues(kind, known), fieldsOf(kind.schema))).toEqual({});
  });
});

describe('a role', () => {
  it('may do what those below it may', () => {
    expect(may('operator', 'viewer')).toBe(true);
    expect(may('viewer', 'operator')).toBe(false);
    expect(may(undefined, 'viewer')).toBe(false);
  });
});
