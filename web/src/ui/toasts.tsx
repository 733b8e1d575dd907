/** Short notes on what has just been done, read out by screen readers. */

import { CircleCheck, TriangleAlert, X } from 'lucide-react';
import { useSyncExternalStore } from 'react';

interface Toast {
  id: number;
  text: string;
  tone: 'ok' | 'bad';
}

const SHOWN_MS = 6000;

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

export function toast(text: string, tone: Toast['tone'] = 'ok'): void {
  const id = ++lastId;
  change([...toasts.slice(-2), { id, text, tone }]);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function Toaster() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-20 z-40 flex flex-col items-center gap-2 md:inset-x-auto md:right-6 md:bottom-6 md:items-end"
    >
      {shown.map((item) => (
        <Note key={item.id} item={item} />
      ))}
    </div>
  );
}

function Note({ item }: { item: Toast }) {
  const Icon = item.tone === 'ok' ? CircleCheck : TriangleAlert;
  return (
    <div className="pointer-events-auto flex max-w-md items-start gap-3 rounded-xl border border-strong bg-raised py-2 pr-2 pl-4 text-sm shadow-lg">
      <Icon
        aria-hidden
        className={`mt-2 size-4 shrink-0 ${item.tone === 'ok' ? 'text-ok' : 'text-danger'}`}
      />
      <span className="py-1.5">{item.text}</span>
      <button
        type="button"
        aria-label="Close"
        className="btn btn-icon btn-quiet -my-0.5"
        onClick={() => dismiss(item.id)}
      >
        <X aria-hidden className="size-4" />
      </button>
    </div>
  );
}

function dismiss(id: number): void {
  if (toasts.some((item) => item.id === id)) change(toasts.filter((item) => item.id !== id));
}

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
