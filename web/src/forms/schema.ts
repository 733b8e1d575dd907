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
    | { type: 'choice'; options: readonly (string | number)[] }
  );

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
    const field = { ...base, ...typeOf(resolved) } as Field;
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

/** What is to be sent. Empty fields are absent; so is an untouched secret, which the server then keeps. */
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

function sent(field: Field, value: unknown): unknown {
  if (field.type === 'number') return value === '' || value === undefined ? undefined : Number(value);
  if (field.type === 'list' && Array.isArray(value)) {
    return value.filter((item) => typeof item === 'string' && item.trim() !== '');
  }
  return value === '' || value === null ? undefined : value;
}

function problem(field: Field, value: unknown): string | undefined {
  const isEmpty = value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
  if (isEmpty) return field.required ? `${field.label} is needed.` : undefined;
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
    unit: text(ui.unit),
    placeholder: text(ui.placeholder) ?? text(examples[0]),
    secret: schema.writeOnly === true || schema.format === 'password',
    initial: schema.default ?? emptyOf(schema),
  };
}

function typeOf(schema: Schema): { type: Field['type']; [detail: string]: unknown } {
  if (schema.const !== undefined) return { type: 'choice', options: [schema.const] };
  if (Array.isArray(schema.enum)) return { type: 'choice', options: schema.enum };
  switch (schema.type) {
    case 'string':
      return { type: schema.writeOnly === true || schema.format === 'password' ? 'secret' : 'text' };
    case 'boolean':
      return { type: 'boolean' };
    case 'number':
    case 'integer':
      return { type: 'number', integer: schema.type === 'integer', bounds: schema };
    case 'array':
      return {
        type: isRecord(schema.items) && schema.items.type === 'string' ? 'list' : 'unsupported',
      };
    case 'object':
      return { type: isRecord(schema.additionalProperties) ? 'map' : 'unsupported' };
    default:
      return { type: 'unsupported' };
  }
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
  return only && real.length === 1 ? { ...resolve(only, root), ...property, anyOf: undefined } : property;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
