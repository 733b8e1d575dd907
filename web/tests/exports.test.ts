import { describe, expect, it } from 'vitest';
import type { Template } from '../src/api/types';
import {
  checkExport,
  contentsOf,
  exportBody,
  isPlayable,
  newExport,
  subjectsFor,
  type Export,
} from '../src/exports/model';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const values = newExport(NOW, 'source:A');

describe('an export that is asked for', () => {
  it('begins with the last day', () => {
    const { from, to } = exportBody(values) as { from: string; to: string };

    expect([from, to]).toEqual(['2026-11-21T12:00:00.000Z', '2026-11-22T12:00:00.000Z']);
  });

  it('names a source or a group, and what its kind has', () => {
    expect(exportBody(values)).toMatchObject({ kind: 'timelapse', template_id: 'A', length_s: 30 });
    const teaser = exportBody({ ...values, kind: 'teaser', subject: 'group:North: east' });
    expect(teaser).toMatchObject({ group: 'North: east' });
    expect(teaser).not.toHaveProperty('template_id');
    const zip = exportBody({ ...values, kind: 'zip' });
    expect(zip).not.toHaveProperty('length_s');
    expect(zip).not.toHaveProperty('show_time');
  });

  it('is checked before it is sent', () => {
    expect(checkExport(values)).toEqual({});
    expect(Object.keys(checkExport({ ...values, subject: '', to: values.from, lengthS: '0' }))).toEqual([
      'subject',
      'from',
      'length_s',
    ]);
    expect(checkExport({ ...values, kind: 'zip', lengthS: '0' })).toEqual({});
    expect(Object.keys(checkExport({ ...values, to: '' }))).toEqual(['to']);
  });

  it('can be of what there is', () => {
    const templates = [
      { id: 'A', name: 'Door', groups: ['Home'] },
      { id: 'B', name: 'Yard', groups: ['Home', 'Garden'] },
    ] as unknown as Template[];

    expect(subjectsFor('timelapse', templates).map(({ label }) => label)).toEqual(['Door', 'Yard']);
    expect(subjectsFor('teaser', templates).map(({ value }) => value)).toEqual([
      'group:Garden',
      'group:Home',
    ]);
    expect(subjectsFor('zip', templates)).toHaveLength(4);
  });
});

describe('an export that is made', () => {
  const made = (rest: Partial<Export>) => rest as Export;

  it('says what is in it, and what is not', () => {
    expect(contentsOf(made({ result: null }))).toBeNull();
    expect(contentsOf(made({ result: { pictures: 1, missing: 0, damaged: 0 } }))).toBe('1 picture');
    expect(contentsOf(made({ result: { pictures: 1200, missing: 1, damaged: 1 } }))).toBe(
      '1,200 pictures; 2 could not be read',
    );
  });

  it('is played when it is a film', () => {
    expect(isPlayable(made({ artifact_id: 'A', media_type: 'video/mp4' }))).toBe(true);
    expect(isPlayable(made({ artifact_id: 'A', media_type: 'application/zip' }))).toBe(false);
    expect(isPlayable(made({ artifact_id: null, media_type: null }))).toBe(false);
  });
});
