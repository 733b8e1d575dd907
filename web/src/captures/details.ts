/** What is known about a capture beside its picture, for whoever looks for a cause. */

import type { Capture } from '../api/types';

export interface Detail {
  label: string;
  value: string;
}

const LABELS: Record<string, string> = {
  http_status: 'HTTP status',
  final_url: 'Address in the end',
  title: 'Title',
  loaded: 'Loaded to its end',
  cut: 'Cut short',
  pages: 'Pages',
};

/** The plain facts, by names for people where there are any. */
export function detailsOf({ details }: Pick<Capture, 'details'>): Detail[] {
  return Object.entries(details).flatMap(([name, value]) => {
    const text = inWords(value);
    return text === null ? [] : [{ label: LABELS[name] ?? name.replaceAll('_', ' '), value: text }];
  });
}

export function consoleErrors({ details }: Pick<Capture, 'details'>): string[] {
  const lines = details.console_errors;
  return Array.isArray(lines) ? lines.filter((line) => typeof line === 'string') : [];
}

/** Live sessions are in the list too; they have no picture of their own, and no end to look at. */
export function isPicture({ kind }: Pick<Capture, 'kind'>): boolean {
  return kind !== 'live';
}

function inWords(value: unknown): string | null {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}
