/**
 * The part of JSON Schema (2020-12) that kinds of sources use, as a plain list of fields. What is really valid
 * the server decides; this only saves a round trip for what is plainly missing or out of range.
 */

import { isRecord } from '../api/errors';

interface FieldBase {
  name: string;
  label: string;
  hint: string | undefined;
  required: boolean;
  advanced: boolean;
  half: boolean;
  /** The title of the part of the form it belongs to; undefined: the main part. */
  section: string | undefined;
  unit: string | undefined;
  placeholder: string | undefined;
  /** The server takes it and never shows it. */
  secret: boolean;
  initial: unknown;
}

export type Field = FieldBase &
  (
    | { type: 'text' | 'secret' | 'boolean' | 'list' | 'map' | 'unsupported' }
    | { type: 'number'; integer: boolean; bounds: Bounds }
    | { type: 'choice'; options: readonly Option[] }
    | { type: 'rows'; columns: readonly Field[] }
  );

/** What can be chosen; null: nothing of it. */
export interface Option {
  value: string | number | null;
  label: string;
}

export interface Bounds {
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
}

export type Values = Record<string, unknown>;
export type Errors = Readonly<Record<string, string>>;

type Schema = Record<string, unknown>;

/** Lists the fields of an object schema. One that leaves no choice is left out. */
export function fieldsOf(schema: Schema): Field[] {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.entries(properties).flatMap(([name, property]) => {
    const resolved = resolve(isRecord(property) ? property : {}, schema);
    const base = baseOf(name, resolved, required.has(name));
    const field = { ...base, ...typeOf(resolved, schema) } as Field;
    return field.type === 'choice' && field.options.length < 2 ? [] : [field];
  });
}

/** What a new form holds: the defaults, and what lists and texts look like when they are empty. */
export function initialValues(fields: readonly Field[], known?: Values): Values {
  return Object.fromEntries(
    fields.map((field) => {
      const isKept = known !== undefined && field.secret;
      return [field.name, isKept ? undefined : (known?.[field.name] ?? field.initial)];
    }),
  );
}

/**
 * What is to be sent. Empty fields are absent; so is an untouched secret, which the server then keeps. One that
 * is null is sent: the server then forgets it.
 */
export function toConfig(fields: readonly Field[], values: Values): Values {
  const pairs = fields.map((field): [string, unknown] => [field.name, sent(field, values[field.name])]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

/** Finds what is plainly wrong, by field name. */
export function check(fields: readonly Field[], values: Values): Errors {
  const found: Record<string, string> = {};
  for (const field of fields) {
    const message = problem(field, values[field.name]);
    if (message !== undefined) found[field.name] = message;
  }
  return found;
}

export interface Parts {
  main: Field[];
  advanced: Field[];
  sections: { title: string; fields: Field[] }[];
}

/** Sorts fields into the parts of a form, in the order of the schema. */
export function partsOf(fields: readonly Field[]): Parts {
  const parts: Parts = { main: [], advanced: [], sections: [] };
  for (const field of fields) {
    if (field.section === undefined) (field.advanced ? parts.advanced : parts.main).push(field);
    else sectionOf(parts, field.section).push(field);
  }
  return parts;
}

function sectionOf({ sections }: Parts, title: string): Field[] {
  const known = sections.find((section) => section.title === title);
  if (known) return known.fields;
  const fields: Field[] = [];
  sections.push({ title, fields });
  return fields;
}

/** Counts the fields that hold something else than they began with. */
export function setIn(fields: readonly Field[], values: Values, stored: readonly string[]): number {
  const isSet = (field: Field) => {
    const value = values[field.name];
    if (field.secret && value === undefined) return stored.includes(field.name);
    return sent(field, value) !== undefined && !isSame(sent(field, value), sent(field, field.initial));
  };
  return fields.filter(isSet).length;
}

function isSame(one: unknown, other: unknown): boolean {
  const isEmpty = (value: unknown) =>
    value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  return one === other || (isEmpty(one) && isEmpty(other ?? null));
}

function sent(field: Field, value: unknown): unknown {
  if (field.secret && value === null) return null;
  if (field.type === 'rows' && Array.isArray(value)) {
    return value.map((row) => toConfig(field.columns, isRecord(row) ? row : {}));
  }
  if (field.type === 'number') return value === '' || value === undefined ? undefined : Number(value);
  if (field.type === 'list' && Array.isArray(value)) {
    return value.filter((item) => typeof item === 'string' && item.trim() !== '');
  }
  return value === '' || value === null ? undefined : value;
}

function problem(field: Field, value: unknown): string | undefined {
  const isEmpty = value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
  if (isEmpty) return field.required ? `${field.label} is needed.` : undefined;
  if (field.type === 'rows' && Array.isArray(value)) {
    const [wrong] = value.flatMap((row) => Object.values(check(field.columns, isRecord(row) ? row : {})));
    return wrong;
  }
  if (field.type !== 'number') return undefined;
  const number = Number(value);
  if (!Number.isFinite(number)) return 'This is no number.';
  if (field.integer && !Number.isInteger(number)) return 'This must be a whole number.';
  return outOfBounds(number, field.bounds);
}

function outOfBounds(number: number, bounds: Bounds): string | undefined {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = bounds;
  if (minimum !== undefined && number < minimum) return `At least ${minimum}.`;
  if (exclusiveMinimum !== undefined && number <= exclusiveMinimum) return `More than ${exclusiveMinimum}.`;
  if (maximum !== undefined && number > maximum) return `At most ${maximum}.`;
  if (exclusiveMaximum !== undefined && number >= exclusiveMaximum) return `Less than ${exclusiveMaximum}.`;
  return undefined;
}

function baseOf(name: string, schema: Schema, required: boolean): FieldBase {
  const ui = isRecord(schema['x-ui']) ? schema['x-ui'] : {};
  const examples = Array.isArray(schema.examples) ? schema.examples : [];
  return {
    name,
    label: text(schema.title) ?? name,
    hint: text(schema.description),
    required,
    advanced: ui.advanced === true,
    half: ui.half === true,
    section: text(ui.section),
    unit: text(ui.unit),
    placeholder: text(ui.placeholder) ?? text(examples[0]),
    secret: schema.writeOnly === true || schema.format === 'password',
    initial: schema.default ?? emptyOf(schema),
  };
}

function typeOf(schema: Schema, root: Schema): { type: Field['type']; [detail: string]: unknown } {
  if (schema.const !== undefined) return { type: 'choice', options: optionsOf(schema, [schema.const]) };
  if (Array.isArray(schema.enum)) return { type: 'choice', options: optionsOf(schema, schema.enum) };
  switch (schema.type) {
    case 'string':
      return { type: schema.writeOnly === true || schema.format === 'password' ? 'secret' : 'text' };
    case 'boolean':
      return { type: 'boolean' };
    case 'number':
    case 'integer':
      return { type: 'number', integer: schema.type === 'integer', bounds: schema };
    case 'array':
      return itemsOf(schema, root);
    case 'object':
      return { type: isRecord(schema.additionalProperties) ? 'map' : 'unsupported' };
    default:
      return { type: 'unsupported' };
  }
}

function itemsOf(schema: Schema, root: Schema): { type: Field['type']; [detail: string]: unknown } {
  const items = isRecord(schema.items) ? resolve(schema.items, root) : {};
  if (items.type === 'string') return { type: 'list' };
  if (!isRecord(items.properties)) return { type: 'unsupported' };
  return { type: 'rows', columns: fieldsOf({ ...items, $defs: root.$defs }) };
}

function optionsOf(schema: Schema, values: readonly unknown[]): Option[] {
  const ui = isRecord(schema['x-ui']) ? schema['x-ui'] : {};
  const names = isRecord(ui.names) ? ui.names : {};
  const options = values.map((value) => ({
    value: value as string | number,
    label: text(names[String(value)]) ?? String(value),
  }));
  return schema.nullable === true
    ? [{ value: null, label: text(names['']) ?? 'As usual' }, ...options]
    : options;
}

function emptyOf(schema: Schema): unknown {
  if (schema.type === 'array') return [];
  if (schema.type === 'object') return {};
  return schema.type === 'boolean' ? false : '';
}

/** Follows `$ref` into `$defs`, and reads "this or null" as optional. */
function resolve(property: Schema, root: Schema): Schema {
  const reference = text(property.$ref);
  if (reference?.startsWith('#/$defs/')) {
    const definitions = isRecord(root.$defs) ? root.$defs : {};
    const target = definitions[reference.slice('#/$defs/'.length)];
    return isRecord(target) ? { ...target, ...property, $ref: undefined } : property;
  }
  const choices = property.anyOf;
  if (!Array.isArray(choices)) return property;
  const real = choices.filter((choice) => isRecord(choice) && choice.type !== 'null') as Schema[];
  const [only] = real;
  if (!only || real.length > 1) return property;
  const nullable = real.length < choices.length;
  return { ...resolve(only, root), ...property, anyOf: undefined, nullable };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
