/** Dark, light, or as the system is. `public/theme.js` does the same before the first paint. */

import { useSyncExternalStore } from 'react';

export type ThemeChoice = 'system' | 'dark' | 'light';

const STORED = 'glimpser.theme';
const systemLight = matchMedia('(prefers-color-scheme: light)');
const listeners = new Set<() => void>();

let choice: ThemeChoice = stored();

systemLight.addEventListener('change', apply);

export function useTheme(): ThemeChoice {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => choice,
  );
}

export function setTheme(next: ThemeChoice): void {
  choice = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Storage is switched off: the choice holds until the page is left.
  }
  apply();
  for (const listener of listeners) listener();
}

function apply(): void {
  const system = systemLight.matches ? 'light' : 'dark';
  document.documentElement.dataset.theme = choice === 'system' ? system : choice;
}

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(STORED);
    return value === 'dark' || value === 'light' ? value : 'system';
  } catch {
    return 'system';
  }
}
