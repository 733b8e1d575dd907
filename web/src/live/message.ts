/** The text messages of the live socket. */

import { isRecord } from '../api/errors';
import type { Alert, GlimpserEvent, Health, Job, Stream } from '../api/types';

export interface LiveMessages {
  event: { event: GlimpserEvent };
  alert: { alert: Alert };
  job: { job: Job };
  state: { template_id: string; stream: Stream };
  health: { template_id: string; health: Health };
  /** A tile that cannot be shown, and why. */
  error: { template_id: string; detail: string };
}

export type LiveMessage = { [T in keyof LiveMessages]: { type: T } & LiveMessages[T] }[keyof LiveMessages];

/** Gives null for what this page does not know; servers may be newer than pages. */
export function parseMessage(text: string): LiveMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  switch (value.type) {
    case 'event':
      return hasId(value.event) ? (value as unknown as LiveMessage) : null;
    case 'alert':
      return hasId(value.alert) ? (value as unknown as LiveMessage) : null;
    case 'job':
      return hasId(value.job) ? (value as unknown as LiveMessage) : null;
    case 'state': {
      const known = typeof value.template_id === 'string' && isRecord(value.stream);
      return known ? (value as unknown as LiveMessage) : null;
    }
    case 'health': {
      const known = typeof value.template_id === 'string' && isRecord(value.health);
      return known ? (value as unknown as LiveMessage) : null;
    }
    case 'error': {
      const known = typeof value.template_id === 'string' && typeof value.detail === 'string';
      return known ? (value as unknown as LiveMessage) : null;
    }
    default:
      return null;
  }
}

function hasId(value: unknown): boolean {
  return isRecord(value) && typeof value.id === 'string';
}
