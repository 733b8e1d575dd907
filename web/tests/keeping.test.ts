import { describe, expect, it } from 'vitest';
import type { Job } from '../src/api/types';
import { inOrder, remarksOf, summaryOf, toBeWritten, typeOf, type Imported } from '../src/moving/report';
import { bytes, countsOf, fileOf, fillingInWords, holdsInWords } from '../src/system/model';

const item = (name: string, rest: Partial<Imported> = {}): Imported => ({
  name,
  action: 'add',
  id: null,
  fields: [],
  errors: [],
  missing_secrets: [],
  left: {},
  notes: [],
  ...rest,
});

describe('a file that is to be imported', () => {
  it.each([
    ['SQLite format 3\0', 'application/vnd.sqlite3'],
    ['SQLite format 4\0', 'application/yaml'],
    ['  {"templates"', 'application/json'],
    ['[', 'application/json'],
    ['format: 1', 'application/yaml'],
    ['', 'application/yaml'],
  ])('is what it begins with: %j', (head, type) => {
    expect(typeOf(head)).toBe(type);
  });
});

describe('the report of an import', () => {
  const refused = item('Broken', {
    action: 'refused',
    errors: [{ pointer: '/config/url', message: 'No such scheme.' }],
  });
  const told = item('Door', { left: { stealth: 'of web pages only' }, missing_secrets: ['password'] });

  it('is summed up in a line', () => {
    expect(summaryOf([item('a'), refused, told])).toBe('3 sources: 2 new, 1 cannot be used.');
    expect(summaryOf([])).toBe('The file holds no sources.');
  });

  it('says what would be written', () => {
    expect(toBeWritten([item('a'), refused, item('b', { action: 'same' })])).toBe(1);
  });

  it('shows what needs a look first', () => {
    expect(inOrder([item('a'), told, refused, item('b')]).map(({ name }) => name)).toEqual([
      'Broken',
      'Door',
      'a',
      'b',
    ]);
  });

  it('says of each source what was not carried over', () => {
    expect(remarksOf(refused)).toEqual([{ text: 'config/url: No such scheme.', bad: true }]);
    expect(remarksOf(told).map(({ text }) => text)).toEqual([
      'To be set again: password',
      'Not carried over: stealth (of web pages only)',
    ]);
    expect(remarksOf(item('a'))).toEqual([]);
  });
});

describe('the system', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [417_000, '417 kB'],
    [3_400_000_000, '3.4 GB'],
  ])('says %d bytes as %s', (count, words) => {
    expect(bytes(count)).toBe(words);
  });

  it('says when the disk will be full', () => {
    expect([null, 0.4, 1.2, 30].map(fillingInWords)).toEqual([
      'It does not fill, as far as is known.',
      'Full in less than a day at this rate.',
      'Full in about 1 day at this rate.',
      'Full in about 30 days at this rate.',
    ]);
  });

  it('counts what people know of', () => {
    const report = { counts: { templates: 2, garbage: 7 } } as unknown as Parameters<typeof countsOf>[0];

    expect(countsOf(report)).toEqual([{ label: 'Sources', count: 2 }]);
  });
});

describe('a backup', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const job = (result: unknown, rest: Partial<Job> = {}) =>
    ({
      kind: 'backup',
      status: 'success',
      ended_at: '2026-11-22T11:00:00Z',
      result,
      ...rest,
    }) as unknown as Job;
  const made = {
    artifact_id: 'A',
    expires_at: '2026-11-23T11:00:00Z',
    size_bytes: 417_000,
    secrets: 'left out',
  };

  it('can be fetched until its day is over', () => {
    expect(fileOf(job(made), now)?.artifactId).toBe('A');
    expect(fileOf(job(made), now + 86_400_000)).toBeNull();
    expect(fileOf(job(null, { status: 'failure' }), now)).toBeNull();
    expect(fileOf(job(made, { kind: 'probe' }), now)).toBeNull();
  });

  it('says what it holds', () => {
    const file = fileOf(job(made), now);

    expect(file && holdsInWords(file)).toBe('417 kB, without pictures, passwords left out');
  });
});
