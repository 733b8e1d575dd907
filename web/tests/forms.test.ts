import { describe, expect, it } from 'vitest';
import { ApiError, readProblem } from '../src/api/errors';
import { readPairs } from '../src/forms/pairs';
import { below, findingsOf } from '../src/forms/problems';
import { check, fieldsOf, initialValues, partsOf, setIn, toConfig } from '../src/forms/schema';
import { withNew } from '../src/sources/areas';
import { checkSource, groupsOf, sourceBody, sourceValues } from '../src/sources/model';
import type { Kind, Template } from '../src/api/types';

const SCHEMA = {
  type: 'object',
  required: ['url'],
  properties: {
    url: { type: 'string', title: 'Address', examples: ['rtsp://192.0.2.20/stream'] },
    username: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null, title: 'User name' },
    password: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null, writeOnly: true },
    transport: { type: 'string', enum: ['tcp', 'udp'], default: 'tcp' },
    hwaccel: { type: 'string', const: 'none', default: 'none' },
    detect_fps: { type: 'number', exclusiveMinimum: 0, maximum: 30, default: 5, 'x-ui': { advanced: true } },
    retries: { type: 'integer', minimum: 0 },
    loop: { type: 'boolean', default: true },
    remove: { type: 'array', items: { type: 'string' } },
    headers: { $ref: '#/$defs/Headers', title: 'Headers' },
    shape: { type: 'array', items: { type: 'object' } },
  },
  $defs: { Headers: { type: 'object', additionalProperties: { type: 'string' }, title: 'Map' } },
};
const FIELDS = fieldsOf(SCHEMA);

describe('the fields of a schema', () => {
  it('have the type of their control', () => {
    expect(Object.fromEntries(FIELDS.map(({ name, type }) => [name, type]))).toEqual({
      url: 'text',
      username: 'text',
      password: 'secret',
      transport: 'choice',
      detect_fps: 'number',
      retries: 'number',
      loop: 'boolean',
      remove: 'list',
      headers: 'map',
      shape: 'unsupported',
    });
  });

  it('leave it open to choose nothing where that is allowed, in the words of the schema', () => {
    const nothing = { type: 'null' };
    const decoder = { anyOf: [{ type: 'string', enum: ['vaapi', 'cuda'] }, nothing], default: null };
    const fields = fieldsOf({
      properties: { decoder: { ...decoder, 'x-ui': { names: { '': 'As usual here', cuda: 'CUDA' } } } },
    });

    expect(fields[0]).toMatchObject({
      type: 'choice',
      options: [
        { value: null, label: 'As usual here' },
        { value: 'vaapi', label: 'vaapi' },
        { value: 'cuda', label: 'CUDA' },
      ],
    });
    expect(toConfig(fields, initialValues(fields))).toEqual({});
  });

  it('are rows where each item has fields of its own', () => {
    const cookie = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };
    const fields = fieldsOf({
      properties: { cookies: { type: 'array', writeOnly: true, items: { $ref: '#/$defs/Cookie' } } },
      $defs: { Cookie: cookie },
    });

    expect(fields[0]).toMatchObject({ type: 'rows', columns: [{ name: 'name', required: true }] });
    expect(toConfig(fields, { cookies: [{ name: 'a' }] })).toEqual({ cookies: [{ name: 'a' }] });
    expect(check(fields, { cookies: [{ name: ' ' }] })).toEqual({ cookies: 'name is needed.' });
  });

  it('leave out what can only be one thing', () => {
    expect(FIELDS.some(({ name }) => name === 'hwaccel')).toBe(false);
  });

  it('take words and hints from the schema', () => {
    const [url] = FIELDS;

    expect(url).toMatchObject({ label: 'Address', required: true, placeholder: 'rtsp://192.0.2.20/stream' });
    expect(FIELDS.find(({ name }) => name === 'detect_fps')).toMatchObject({ advanced: true, initial: 5 });
    expect(FIELDS.find(({ name }) => name === 'headers')).toMatchObject({ label: 'Headers' });
  });

  it('of a schema without properties are none', () => {
    expect(fieldsOf({})).toEqual([]);
  });
});

describe('what is sent', () => {
  it('leaves out what is empty and makes numbers of digits', () => {
    const values = { ...initialValues(FIELDS), url: 'rtsp://a/b', detect_fps: '2.5', remove: ['#ad', ' '] };

    expect(toConfig(FIELDS, values)).toEqual({
      url: 'rtsp://a/b',
      transport: 'tcp',
      detect_fps: 2.5,
      loop: true,
      remove: ['#ad'],
      headers: {},
      shape: [],
    });
  });

  it('holds no secret unless one was typed', () => {
    expect(toConfig(FIELDS, initialValues(FIELDS, { url: 'x' }))).not.toHaveProperty('password');
    expect(toConfig(FIELDS, { password: 'new' })).toMatchObject({ password: 'new' });
  });

  it('says so when a stored secret is to be removed', () => {
    expect(toConfig(FIELDS, { password: null })).toMatchObject({ password: null });
    expect(toConfig(FIELDS, { username: null })).not.toHaveProperty('username');
  });
});

describe('the parts of a form', () => {
  const text = { type: 'string' };
  const fields = fieldsOf({
    required: ['url'],
    properties: {
      url: text,
      quality: { type: 'integer', default: 80, 'x-ui': { advanced: true } },
      wait: { ...text, 'x-ui': { section: 'Waiting' } },
      remove: { type: 'array', items: text, default: [], 'x-ui': { section: 'Picture' } },
      token: { ...text, writeOnly: true, 'x-ui': { section: 'Waiting' } },
    },
  });

  it('are the main fields, those few need, and those with a title', () => {
    const parts = partsOf(fields);

    expect([parts.main, parts.advanced].map((part) => part.map(({ name }) => name))).toEqual([
      ['url'],
      ['quality'],
    ]);
    expect(parts.sections.map(({ title, fields: part }) => [title, part.length])).toEqual([
      ['Waiting', 2],
      ['Picture', 1],
    ]);
  });

  it('tell how much of them is set', () => {
    expect(setIn(fields, initialValues(fields), [])).toBe(0);
    expect(setIn(fields, { ...initialValues(fields), quality: '70', remove: ['#ad'] }, [])).toBe(2);
    expect(setIn(fields, initialValues(fields, { quality: 80 }), ['token'])).toBe(1);
  });
});

describe('the check', () => {
  it('finds what is missing', () => {
    expect(check(FIELDS, initialValues(FIELDS))).toEqual({ url: 'Address is needed.' });
    expect(check(FIELDS, { url: '  ' })).toEqual({ url: 'Address is needed.' });
  });

  it.each([
    ['detect_fps', 'x', 'This is no number.'],
    ['detect_fps', '0', 'More than 0.'],
    ['detect_fps', '31', 'At most 30.'],
    ['retries', '1.5', 'This must be a whole number.'],
    ['retries', '-1', 'At least 0.'],
  ])('finds %s = %s', (name, value, message) => {
    expect(check(FIELDS, { url: 'x', [name]: value })).toEqual({ [name]: message });
  });

  it('lets pass what is on the border', () => {
    expect(check(FIELDS, { url: 'x', detect_fps: '30', retries: '0' })).toEqual({});
  });
});

describe('the findings of the server', () => {
  const refused = (...fields: { pointer: string; message: string }[]) =>
    new ApiError(422, {
      title: 'Unprocessable',
      detail: 'Some fields cannot be used.',
      requestId: null,
      fields,
    });

  it('go to their fields as sentences', () => {
    const error = refused({ pointer: '/config/url', message: 'no such host' });

    expect(findingsOf(error, ['name', 'config/url'])).toEqual({
      fields: { 'config/url': 'No such host.' },
      form: null,
    });
  });

  it('go to the nearest field around them', () => {
    const error = refused({ pointer: '/config/headers/0', message: 'bad' });

    expect(findingsOf(error, ['config', 'config/headers']).fields).toEqual({ 'config/headers': 'Bad.' });
  });

  it('stand above the form where no field is theirs', () => {
    expect(findingsOf(refused({ pointer: '/zones', message: 'two alike' }), ['name']).form).toBe(
      'zones: two alike',
    );
  });

  it('without fields are the sentence of the whole', () => {
    expect(findingsOf(refused(), ['name'])).toEqual({ fields: {}, form: 'Some fields cannot be used.' });
    expect(findingsOf(new Error('The server does not answer.'), []).form).toBe('The server does not answer.');
  });

  it('of one part lose its name', () => {
    expect(below('config', { 'config/url': 'a', name: 'b', configure: 'c' })).toEqual({ url: 'a' });
  });
});

describe('a problem document', () => {
  it('is read as far as it makes sense', () => {
    const body = {
      title: 'No',
      detail: 'Never',
      request_id: 'r1',
      errors: [{ pointer: '/a', message: 'b' }, 7],
    };

    expect(readProblem(body, 'Status 422')).toEqual({
      title: 'No',
      detail: 'Never',
      requestId: 'r1',
      fields: [{ pointer: '/a', message: 'b' }],
    });
  });

  it.each([null, [], 'text', {}])('that is none falls back to the status: %j', (body) => {
    expect(readProblem(body, 'Status 502')).toEqual({
      title: 'Status 502',
      detail: '',
      requestId: null,
      fields: [],
    });
  });
});

describe('pairs', () => {
  it('are read from lines', () => {
    expect(readPairs('X-A: 1\nX-B:two: three\n\nnothing\n: none')).toEqual({
      'X-A': '1',
      'X-B': 'two: three',
    });
  });
});

describe('a source', () => {
  const kind: Kind = { kind: 'ffmpeg', title: 'Camera', description: '', schema: SCHEMA };
  const template = {
    id: 'T',
    name: 'Door',
    kind: 'ffmpeg',
    config: { url: 'rtsp://a/b', hwaccel: 'none', transport: 'udp' },
    enabled: true,
    groups: ['Home'],
    notes: 'n',
    motion: { detector: 'adaptive', sensitivity: 0.5, threshold: 0 },
    zones: [{ name: 'Path', points: [] }],
    motion_masks: [],
    privacy_masks: [
      [
        [0.1, 0.2],
        [0.30001, 0.4],
        [1, 1],
      ],
    ],
    overlay: { name: false, time: true },
    version: 7,
  } as unknown as Template;

  it('keeps what its form does not show', () => {
    const values = { ...sourceValues(template, kind), name: ' Gate ' };
    const body = sourceBody(values, FIELDS, template);

    const { zones, privacy_masks, overlay } = template;

    expect(body).toMatchObject({ name: 'Gate', groups: ['Home'], zones, privacy_masks, overlay });
    expect(body.config).toMatchObject({ url: 'rtsp://a/b', hwaccel: 'none', transport: 'udp' });
    expect(body.config).not.toHaveProperty('username');
  });

  it('loses a setting that was emptied', () => {
    const known = { ...template, config: { url: 'rtsp://a/b', username: 'ada' } };
    const values = sourceValues(known, kind);
    const body = sourceBody({ ...values, config: { ...values.config, username: '' } }, FIELDS, known);

    expect(body.config).not.toHaveProperty('username');
  });

  it('needs a name and what its kind needs', () => {
    const values = { ...sourceValues(template, kind), name: ' ', config: {} };

    expect(Object.keys(checkSource(values, FIELDS))).toEqual(['name', 'config/url']);
  });

  it('needs a name of its own for every zone', () => {
    const values = sourceValues(template, kind);
    const areas = withNew(values.areas, 'zone').map((area) => ({ ...area, name: 'Path' }));

    expect(Object.keys(checkSource({ ...values, areas }, FIELDS))).toEqual(['zones']);
  });

  it('is in each group once', () => {
    expect(groupsOf(' Home, Garden,,Home ')).toEqual(['Home', 'Garden']);
  });
});
