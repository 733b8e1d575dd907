/** Keys that do something wherever the focus is, except while somebody types. */

import { useEffect, useEffectEvent } from 'react';

const GO_WITHIN_MS = 1200;

/** `g` and then a letter goes to the place of that letter. */
export function useGoKeys(go: (letter: string) => void): void {
  const latest = useEffectEvent(go);
  useEffect(() => {
    let begunMs = -GO_WITHIN_MS;
    return onKey((key, event) => {
      if (event.timeStamp - begunMs < GO_WITHIN_MS) latest(key);
      begunMs = key === 'g' ? event.timeStamp : -GO_WITHIN_MS;
    });
  }, []);
}

/** `j` goes to the next of a list, `k` to the one before. */
export function useStepKeys(step: (by: 1 | -1) => void): void {
  const latest = useEffectEvent(step);
  useEffect(
    () =>
      onKey((key) => {
        if (key === 'j') latest(1);
        if (key === 'k') latest(-1);
      }),
    [],
  );
}

function onKey(handle: (key: string, event: KeyboardEvent) => void): () => void {
  const pressed = (event: KeyboardEvent) => {
    const isCommand = event.ctrlKey || event.metaKey || event.altKey;
    if (!isCommand && !isTyping(event.target)) handle(event.key, event);
  };
  addEventListener('keydown', pressed);
  return () => removeEventListener('keydown', pressed);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, dialog') !== null;
}
