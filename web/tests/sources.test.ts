import { describe, expect, it } from 'vitest';
import type { Job, Template } from '../src/api/types';
import { outcomeOf } from '../src/jobs/outcome';
import { curlLine, pushAddress } from '../src/sources/push';
import { checkRetention, retentionBody, retentionInWords, retentionValues } from '../src/sources/retention';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const EMPTY = retentionValues({});

describe('how long a source is kept', () => {
  it('comes back as it was stored, to the byte', () => {
    const retention = {
      max_age_days: 7,
      max_count: 1_000_000_000,
      max_bytes: 2 ** 50 - 1,
      thin_after_days: 2,
      thin_to: 'hour',
    } as const satisfies Template['retention'];

    expect(retentionBody(retentionValues({ retention }))).toEqual(retention);
  });

  it('is as for all sources when nothing is typed', () => {
    expect(retentionBody({ ...EMPTY, days: ' ' })).toBeNull();
    expect(checkRetention(EMPTY)).toEqual({});
    expect(retentionInWords(EMPTY)).toBeUndefined();
  });

  it.each([
    ['days', '0', 'max_age_days'],
    ['days', '1.5', 'max_age_days'],
    ['count', 'many', 'max_count'],
    ['gigabytes', '0', 'max_bytes'],
    ['gigabytes', 'NaN', 'max_bytes'],
    ['thinAfterDays', '36501', 'thin_after_days'],
  ])('with %s of %s is not sent', (name, typed, field) => {
    expect(Object.keys(checkRetention({ ...EMPTY, [name]: typed }))).toEqual([`retention/${field}`]);
  });

  it.each([
    ['days', '36500'],
    ['count', '1'],
    ['gigabytes', '0.5'],
    ['thinAfterDays', '1'],
  ])('with %s of %s is sent', (name, typed) => {
    expect(checkRetention({ ...EMPTY, [name]: typed })).toEqual({});
  });

  it('is told in a word or two', () => {
    expect(retentionInWords({ ...EMPTY, days: '1' })).toBe('1 day');
    expect(retentionInWords({ ...EMPTY, thinTo: 'day' })).toBe('Own limits');
  });
});

describe('sending pictures', () => {
  it('is told as a command for a shell', () => {
    expect(curlLine(pushAddress('https://nvr.test:8443', 'T1'))).toBe(
      "curl --fail-with-body -H 'x-api-key: KEY' -H 'Content-Type: image/jpeg'" +
        " --data-binary @picture.jpg 'https://nvr.test:8443/api/stream/T1/push'",
    );
  });
});

describe('what a job has made', () => {
  const done = (kind: string, result: Job['result']) =>
    ({ id: 'j1', kind, status: 'success', created_at: '2026-03-01T11:00:00Z', result }) as unknown as Job;
  const backup = done('backup', { artifact_id: 'a1', expires_at: '2026-03-02T12:00:00Z' });

  it('is found by people who may see it', () => {
    expect(outcomeOf(done('capture', { artifact_id: 'a1' }), NOW, false)).toMatchObject({
      address: '/api/artifacts/a1',
      download: false,
    });
    expect(outcomeOf(done('export', { artifact_id: 'a1' }), NOW, false)).toEqual({
      type: 'export',
      jobId: 'j1',
    });
    expect(outcomeOf(backup, NOW, true)).toMatchObject({ address: '/api/admin/backup/a1', download: true });
    expect(outcomeOf(backup, NOW, false)).toBeNull();
  });

  it('is nothing where there is nothing, or nothing any more', () => {
    expect(outcomeOf({ ...backup, status: 'failure' }, NOW, true)).toBeNull();
    expect(outcomeOf(backup, Date.parse('2026-03-03T12:00:00Z'), true)).toBeNull();
    expect(outcomeOf(done('export', null), NOW, true)).toBeNull();
    expect(outcomeOf(done('capture', { artifact_id: 7 }), NOW, true)).toBeNull();
    expect(outcomeOf(done('probe', { artifact_id: 'a1' }), NOW, true)).toBeNull();
  });
});
