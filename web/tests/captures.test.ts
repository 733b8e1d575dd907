import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import type { Capture, Job, Template } from '../src/api/types';
import { consoleErrors, detailsOf } from '../src/captures/details';
import { jobKeys, noteJob } from '../src/jobs/queries';
import { isUnderWay, jobDuration, jobKind, jobState, mayRepeat } from '../src/jobs/words';
import { parseMessage } from '../src/live/message';
import { jobSearch } from '../src/pages/search';
import { checkSchedule, newSchedule, scheduleBody, scheduleValues } from '../src/sources/schedule';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const JOB = {
  id: 'j1',
  kind: 'capture',
  status: 'running',
  started_at: '2026-03-01T11:59:50Z',
  ended_at: null,
  cancel_requested: false,
} as Job;

describe('a schedule', () => {
  it('that is empty is none, whatever else was typed', () => {
    expect(scheduleBody({ ...newSchedule('UTC'), cron: ' ' })).toMatchObject({ schedule: null });
    expect(checkSchedule({ ...newSchedule('UTC'), jitterS: 'x' })).toEqual({});
  });

  it('comes back as it was stored', () => {
    const stored = {
      schedule: '0 2 * * *',
      timezone: 'Europe/Berlin',
      schedule_windows: [{ days: ['mon'], from: '01:00', to: '03:00' }],
      jitter_ms: 2500,
      action: 'record',
      duration_s: 90,
      catch_up: 'none',
      live: false,
    } as unknown as Template;

    expect(scheduleBody(scheduleValues(stored, 'UTC'))).toEqual(stored);
  });

  it('has a length when it records, and none when it takes a picture', () => {
    const values = { ...newSchedule('UTC'), cron: '@daily' };

    expect(scheduleBody(values).duration_s).toBeNull();
    expect(scheduleBody({ ...values, action: 'record' }).duration_s).toBe(60);
  });

  it.each([
    ['a jitter that is no number', { jitterS: 'soon' }, 'jitter_ms'],
    ['a jitter beyond an hour', { jitterS: '3601' }, 'jitter_ms'],
    ['a recording without a length', { action: 'record', durationS: '0' }, 'duration_s'],
  ] as const)('with %s is not sent', (_, change, field) => {
    const values = { ...newSchedule('UTC'), cron: '@daily' };

    expect(checkSchedule(values)).toEqual({});
    expect(checkSchedule({ ...values, ...change })).toHaveProperty(field);
  });
});

describe('a job', () => {
  it('says how it stands', () => {
    expect(jobState(JOB).label).toBe('Running');
    expect(jobState({ ...JOB, cancel_requested: true }).label).toBe('Being cancelled');
    expect(jobState({ ...JOB, status: 'cancelled', cancel_requested: true }).label).toBe('Cancelled');
    expect([isUnderWay(JOB), mayRepeat(JOB), mayRepeat({ status: 'dead' })]).toEqual([true, false, true]);
  });

  it('says how long it has taken', () => {
    expect(jobDuration(JOB, NOW)).toBe('10 s');
    expect(jobDuration({ ...JOB, ended_at: JOB.started_at }, NOW)).toBe('under 1 s');
    expect(jobDuration({ ...JOB, started_at: null }, NOW)).toBeNull();
  });

  it('of a kind nobody knows goes by its own name', () => {
    expect(jobKind('moon')).toBe('moon');
  });

  it('that is told of over the socket is renewed in the lists that hold it', () => {
    const client = new QueryClient();
    const key = [...jobKeys.all, {}, 50];
    const other = { ...JOB, id: 'j2' };
    client.setQueryData(key, { pages: [{ items: [JOB, other], next_cursor: null }], pageParams: [null] });

    noteJob(client, { ...JOB, progress: 0.5 });

    expect(client.getQueryData(key)).toMatchObject({ pages: [{ items: [{ progress: 0.5 }, other] }] });
    expect(parseMessage(JSON.stringify({ type: 'job', job: JOB }))).toMatchObject({ type: 'job' });
    expect(parseMessage('{"type": "job", "job": 7}')).toBeNull();
  });

  it('is looked for by what the address says and nothing else', () => {
    expect(jobSearch({ status: 'dead', kind: 'capture', page: '7' })).toEqual({
      status: 'dead',
      kind: 'capture',
    });
    expect(jobSearch({ status: 'flying' })).toEqual({});
  });
});

describe('the details of a capture', () => {
  const capture = {
    details: { http_status: 503, cut: false, title: '', console_errors: ['x is not defined', 7], nested: {} },
  } as unknown as Capture;

  it('are plain facts with names for people', () => {
    expect(detailsOf(capture)).toEqual([
      { label: 'HTTP status', value: '503' },
      { label: 'Cut short', value: 'no' },
    ]);
  });

  it('list the errors of the page', () => {
    expect(consoleErrors(capture)).toEqual(['x is not defined']);
    expect(consoleErrors({ details: {} })).toEqual([]);
  });
});
