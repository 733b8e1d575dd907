import { describe, expect, it } from 'vitest';
import type { Job } from '../src/api/types';
import { configOf, factsOf, foundBy, nextAsk, progressOf, STEPS, type Found } from '../src/sources/probe';

const RUNNING = { status: 'running', step: 'connect', result: null, error: null } as Job;
const RESULT = {
  kind: 'ffmpeg',
  config: { url: 'rtsp://cam/one?token=***', username: 'ann' },
  width: 1920,
  height: 1080,
  fps: 14.98,
  codec: 'h264',
  artifact_id: 'a1',
};
const DONE = { ...RUNNING, status: 'success', step: null, result: RESULT } as unknown as Job;
const FOUND: Found = {
  kind: 'ffmpeg',
  config: RESULT.config,
  width: 1920,
  height: 1080,
  fps: 14.98,
  codec: 'h264',
  artifactId: 'a1',
};

describe('the steps of a trial', () => {
  it('are done up to the one that is taken', () => {
    expect(progressOf(RUNNING).slice(0, 4)).toEqual(['done', 'done', 'doing', 'waiting']);
    expect(progressOf(undefined)).toEqual(STEPS.map(() => 'waiting'));
  });

  it('end at the one that failed', () => {
    const failed = progressOf({ ...RUNNING, status: 'dead' });
    expect(failed.slice(1, 4)).toEqual(['done', 'failed', 'left']);
  });

  it('are all done when it worked', () => {
    expect(new Set(progressOf(DONE))).toEqual(new Set(['done']));
  });

  it('are asked for until they end', () => {
    expect(nextAsk(undefined)).toBe(300);
    expect(nextAsk(RUNNING)).toBe(300);
    expect(nextAsk(DONE)).toBe(false);
    expect(nextAsk({ ...RUNNING, status: 'failure' })).toBe(false);
  });
});

describe('what a trial found', () => {
  it('is nothing while it runs, and nothing this page does not know', () => {
    expect(foundBy(RUNNING)).toBeNull();
    expect(foundBy({ ...DONE, result: { kind: 5 } })).toBeNull();
    expect(foundBy(DONE)).toEqual(FOUND);
  });

  it('is saved with the secrets that were typed, which the answer has not', () => {
    expect(configOf(FOUND, ' rtsp://ann:p%40ss@cam/one?token=s3cr3t ')).toEqual({
      url: 'rtsp://cam/one?token=s3cr3t',
      username: 'ann',
      password: 'p@ss',
    });
    expect(configOf(FOUND, 'rtsp://cam/one?x=a@b').url).toBe('rtsp://cam/one?x=a@b');
    expect(configOf(FOUND, 'rtsp://ann:100%@cam/').password).toBe('100%');
  });

  it('keeps a path as it is', () => {
    expect(configOf({ ...FOUND, config: { path: 'clip.mp4' } }, 'clip.mp4')).toEqual({ path: 'clip.mp4' });
  });

  it('is told in a line', () => {
    expect(factsOf(FOUND)).toBe('1920 × 1080, 15 pictures a second, h264');
    expect(factsOf({ ...FOUND, fps: 0.1, codec: null })).toBe('1920 × 1080, a picture every 10 seconds');
    expect(factsOf({ ...FOUND, fps: null, codec: null })).toBe('1920 × 1080');
  });
});
