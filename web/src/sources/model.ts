/** A source as its form holds it, and the way to and from what the server takes. */

import type { Kind, Template, TemplateForm } from '../api/types';
import {
  check,
  fieldsOf,
  initialValues,
  toConfig,
  type Errors,
  type Field,
  type Values,
} from '../forms/schema';
import type { Asked } from './probe';
import {
  checkSchedule,
  newSchedule,
  SCHEDULE_POINTERS,
  scheduleBody,
  scheduleValues,
  type ScheduleValues,
} from './schedule';
import {
  checkRetention,
  RETENTION_POINTERS,
  retentionBody,
  retentionValues,
  type RetentionValues,
} from './retention';
import { areasOf, checkAreas, fieldsOfAreas, type Area } from './areas';

export interface SourceValues {
  name: string;
  kind: string;
  config: Values;
  enabled: boolean;
  groups: string;
  notes: string;
  detector: string;
  sensitivity: number;
  threshold: number;
  areas: Area[];
  schedule: ScheduleValues;
  retention: RetentionValues;
  /** A film of each day; its length as it is typed. */
  film: { daily: boolean; lengthS: string; fps: number };
  /** What is written into every picture. */
  overlay: { name: boolean; time: boolean };
}

export const DETECTORS = [
  { value: 'adaptive', label: 'Adaptive (for most cameras)' },
  { value: 'mog2', label: 'MOG2 (moving backgrounds, needs more of the processor)' },
  { value: 'pixel_diff', label: 'Pixel difference (plain and quick)' },
  { value: 'off', label: 'Off' },
] as const;

/** What was found out about a source that is to be added. */
export interface Start {
  kind: string;
  config: Values;
}

export function newSource(kind: Kind, found: Values = {}): SourceValues {
  return {
    name: '',
    kind: kind.kind,
    config: { ...initialValues(fieldsOf(kind.schema)), ...found },
    enabled: true,
    groups: '',
    notes: '',
    detector: 'adaptive',
    sensitivity: 0.5,
    threshold: 0,
    areas: [],
    schedule: newSchedule(ownZone()),
    retention: retentionValues({}),
    film: { daily: false, lengthS: '30', fps: 24 },
    overlay: { name: false, time: false },
  };
}

export function sourceValues(template: Template, kind: Kind): SourceValues {
  return {
    name: template.name,
    kind: template.kind,
    config: initialValues(fieldsOf(kind.schema), template.config),
    enabled: template.enabled,
    groups: template.groups.join(', '),
    notes: template.notes,
    ...template.motion,
    areas: areasOf(template),
    schedule: scheduleValues(template, ownZone()),
    retention: retentionValues(template),
    film: {
      daily: template.timelapse?.daily ?? false,
      lengthS: String(template.timelapse?.length_s ?? 30),
      fps: template.timelapse?.fps ?? 24,
    },
    overlay: template.overlay,
  };
}

/** The body of a POST, or of a PUT when there is a template already: what the form does not show stays. */
export function sourceBody(values: SourceValues, fields: readonly Field[], known?: Template): TemplateForm {
  const { hidden, shown } = configParts(fields, values.config, known);
  const body = {
    ...known,
    name: values.name.trim(),
    kind: values.kind,
    config: { ...hidden, ...shown },
    enabled: values.enabled,
    groups: groupsOf(values.groups),
    notes: values.notes,
    motion: { detector: values.detector, sensitivity: values.sensitivity, threshold: values.threshold },
    ...fieldsOfAreas(values.areas),
    ...scheduleBody(values.schedule),
    retention: retentionBody(values.retention),
    timelapse: values.film.daily
      ? { daily: true, length_s: Number(values.film.lengthS), fps: values.film.fps }
      : null,
    overlay: values.overlay,
  };
  return body as unknown as TemplateForm;
}

/** What the settings of the form would give, as a trial of the server. */
export function trialOf({ kind, config }: SourceValues, fields: readonly Field[], known?: Template): Asked {
  const { hidden, shown } = configParts(fields, config, known);
  return { kind, config: { ...hidden, ...shown }, ...(known && { template_id: known.id }) };
}

function configParts(fields: readonly Field[], config: Values, known?: Template) {
  const names = new Set(fields.map(({ name }) => name));
  const hidden = Object.entries(known?.config ?? {}).filter(([name]) => !names.has(name));
  return { hidden: Object.fromEntries(hidden), shown: toConfig(fields, config) };
}

/** What is plainly wrong with the config alone, by the server's pointers. */
export function checkConfig(values: SourceValues, fields: readonly Field[]): Errors {
  const found = Object.entries(check(fields, values.config));
  return Object.fromEntries(found.map(([name, message]) => [`config/${name}`, message]));
}

/** By the server's pointers, so that both kinds of findings stand at the same fields. */
export function checkSource(values: SourceValues, fields: readonly Field[]): Errors {
  return {
    ...(values.name.trim() === '' && { name: 'A name is needed.' }),
    ...(Object.keys(checkAreas(values.areas)).length > 0 && { zones: 'Every zone needs a name of its own.' }),
    ...checkSchedule(values.schedule),
    ...checkRetention(values.retention),
    ...(values.film.daily &&
      !(Number(values.film.lengthS) >= 1 && Number(values.film.lengthS) <= 600) && {
        'timelapse/length_s': 'From 1 to 600 seconds.',
      }),
    ...checkConfig(values, fields),
  };
}

export function pointersOf(fields: readonly Field[]): string[] {
  const motion = ['motion/detector', 'motion/sensitivity', 'motion/threshold'];
  const settings = ['name', 'groups', 'notes', ...motion, 'timelapse/length_s'];
  return [
    ...settings,
    ...SCHEDULE_POINTERS,
    ...RETENTION_POINTERS,
    ...fields.map(({ name }) => `config/${name}`),
  ];
}

export function groupsOf(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ''))];
}

function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
