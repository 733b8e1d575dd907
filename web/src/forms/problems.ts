/** Brings the server's findings (RFC 9457, `errors`) to the fields they are about. */

import { ApiError, explain, type FieldProblem } from '../api/errors';
import type { Errors } from './schema';

export interface Findings {
  /** By JSON Pointer without its first slash, such as `config/url`. */
  fields: Errors;
  /** What belongs to no field of the form. */
  form: string | null;
}

export const NO_FINDINGS: Findings = { fields: {}, form: null };

/** Sorts a failed write into the fields a form has; `known` are their pointers without the first slash. */
export function findingsOf(error: unknown, known: readonly string[]): Findings {
  if (!(error instanceof ApiError) || error.fields.length === 0) return { fields: {}, form: explain(error) };
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const finding of error.fields) {
    const name = fieldFor(finding, known);
    if (name === undefined) rest.push(`${finding.pointer.slice(1)}: ${finding.message}`);
    else fields[name] ??= sentence(finding.message);
  }
  return { fields, form: rest.length > 0 ? rest.join(' ') : null };
}

/** The errors below one prefix, with the prefix taken off. */
export function below(prefix: string, errors: Errors): Errors {
  const inside = Object.entries(errors).filter(([name]) => name.startsWith(`${prefix}/`));
  return Object.fromEntries(inside.map(([name, message]) => [name.slice(prefix.length + 1), message]));
}

/** The longest known pointer that the finding lies in: `/config/headers/0` is about `config/headers`. */
function fieldFor({ pointer }: FieldProblem, known: readonly string[]): string | undefined {
  const path = pointer.replace(/^\//, '');
  return known
    .filter((name) => path === name || path.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function sentence(message: string): string {
  const capital = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** Moves the focus to the first field with an error, after it has been drawn. */
export function focusFirstError(form: HTMLElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
}
