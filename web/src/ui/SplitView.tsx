import type { ReactNode } from 'react';

interface Props {
  title: string;
  /** Whether one item is open: on a narrow screen it then takes the list's place. */
  open: boolean;
  head: ReactNode;
  list: ReactNode;
  detail: ReactNode;
}

/** A list, and beside it the one item that is open; the two scroll by themselves. */
export function SplitView({ title, open, head, list, detail }: Props) {
  return (
    <div className="flex h-[calc(100dvh-56px-env(safe-area-inset-bottom))] flex-col max-md:-mb-20 md:h-dvh">
      {open && <h1 className="sr-only lg:hidden">{title}</h1>}
      <div className={open ? 'max-lg:hidden' : ''}>{head}</div>
      <div className="grid min-h-0 flex-1 gap-5 px-4 pb-4 md:px-6 lg:grid-cols-[minmax(0,1fr)_minmax(0,480px)] lg:pb-6">
        <div className={`relative min-h-0 ${open ? 'max-lg:hidden' : ''}`}>{list}</div>
        <div className={`-mr-2 min-h-0 overflow-y-auto pr-2 ${open ? '' : 'max-lg:hidden'}`}>{detail}</div>
      </div>
    </div>
  );
}
