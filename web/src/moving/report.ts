/** What an import would do, or has done, in the words of the page. */

import { api, bodyOf } from '../api/client';
import type { components } from '../api/schema';
import { plural, type StateWords } from '../format/words';

export type ImportReport = components['schemas']['ImportView'];
export type Imported = ImportReport['items'][number];

export const ACTIONS: Record<Imported['action'], StateWords> = {
  add: { label: 'New', tone: 'ok' },
  change: { label: 'Changed', tone: 'wait' },
  same: { label: 'As it is', tone: 'off' },
  refused: { label: 'Cannot be used', tone: 'bad' },
};

const SQLITE = 'SQLite format 3\0';

/** By how the file begins, because names of files say little. */
export function typeOf(head: string): string {
  if (head.startsWith(SQLITE)) return 'application/vnd.sqlite3';
  return /^\s*[[{]/.test(head) ? 'application/json' : 'application/yaml';
}

/** Sends a file; without `apply` the server only says what would become of it. */
export async function sendFile(file: File, apply: boolean): Promise<ImportReport> {
  const head = await file.slice(0, SQLITE.length).text();
  return bodyOf(
    api.POST('/api/templates/import', {
      params: { query: { dry_run: !apply } },
      headers: { 'Content-Type': typeOf(head) },
      body: file as unknown as string,
      bodySerializer: (body) => body as unknown as File,
    }),
  );
}

/** `2 new, 1 changed, 3 cannot be used`. */
export function summaryOf(items: readonly Imported[]): string {
  if (items.length === 0) return 'The file holds no sources.';
  const parts = (Object.keys(ACTIONS) as Imported['action'][]).flatMap((action) => {
    const count = items.filter((item) => item.action === action).length;
    return count === 0 ? [] : [`${count} ${ACTIONS[action].label.toLowerCase()}`];
  });
  return `${plural(items.length, 'source')}: ${parts.join(', ')}.`;
}

/** How many an import would write. */
export function toBeWritten(items: readonly Imported[]): number {
  return items.filter(({ action }) => action === 'add' || action === 'change').length;
}

/** What a person should know about one source, a line for each thing. */
export function remarksOf(item: Imported): { text: string; bad: boolean }[] {
  return [
    ...item.errors.map(({ pointer, message }) => ({
      text: pointer === '' ? message : `${pointer.slice(1)}: ${message}`,
      bad: true,
    })),
    ...(item.fields.length > 0 ? [{ text: `Changes: ${item.fields.join(', ')}`, bad: false }] : []),
    ...(item.missing_secrets.length > 0
      ? [{ text: `To be set again: ${item.missing_secrets.join(', ')}`, bad: false }]
      : []),
    ...Object.entries(item.left).map(([name, why]) => ({
      text: `Not carried over: ${name} (${why})`,
      bad: false,
    })),
    ...item.notes.map((text) => ({ text, bad: false })),
  ];
}

/** Those that cannot be used first, then those a person should look at, each in the order of the file. */
export function inOrder(items: readonly Imported[]): Imported[] {
  const rank = (item: Imported) => (item.action === 'refused' ? 0 : remarksOf(item).length > 0 ? 1 : 2);
  return [...items].sort((one, other) => rank(one) - rank(other));
}
