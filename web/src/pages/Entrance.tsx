import type { ReactNode } from 'react';
import { useTitle } from '../ui/parts';

/** The frame of the pages that stand before the app. */
export function Entrance({ title, sub, children }: { title: string; sub: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="card w-full max-w-[380px] p-6 sm:p-8">
        <img src="/icons/icon.svg" alt="" width={44} height={44} className="mb-5" />
        <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        <p className="mt-1 mb-6 text-sm text-dim">{sub}</p>
        {children}
      </div>
    </main>
  );
}
