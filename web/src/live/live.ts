/** The page's one link and one wall, and hooks onto them. */

import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import { liveAddress, LiveLink, type Socket } from './link';
import type { LiveMessage } from './message';
import { takeSnapshot, Wall } from './wall';

export const link = new LiveLink(() => new WebSocket(liveAddress(location)) as Socket);
export const wall = new Wall(link, takeSnapshot);

export function useLiveMessages(handle: (message: LiveMessage) => void): void {
  const latest = useEffectEvent(handle);
  useEffect(() => link.listen({ message: (message) => latest(message) }), []);
}

/** Views that move right now. An event that nobody ends is forgotten after a while. */
const FORGOTTEN_AFTER_MS = 120_000;
const moving = new Map<string, { eventId: string; timer: ReturnType<typeof setTimeout> }>();
const listeners = new Set<() => void>();

export function noteMotion(message: LiveMessage): void {
  if (message.type !== 'event' || message.event.kind !== 'motion') return;
  const { template_id: id, id: eventId, ended_at: endedAt } = message.event;
  const known = moving.get(id);
  if (endedAt !== null && known?.eventId !== eventId) return;
  clearTimeout(known?.timer);
  moving.delete(id);
  if (endedAt === null) moving.set(id, { eventId, timer: setTimeout(() => forget(id), FORGOTTEN_AFTER_MS) });
  tell();
}

export function useIsMoving(id: string): boolean {
  return useSyncExternalStore(subscribe, () => moving.has(id));
}

function forget(id: string): void {
  moving.delete(id);
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
