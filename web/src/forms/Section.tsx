import { ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { useFold } from './useFold';

interface Props {
  title: string;
  /** What is set in it, in a word or two; seen while it is folded. */
  aside?: string | undefined;
  /** Something in it needs to be seen: it unfolds, and stays so until somebody folds it. */
  open: boolean;
  children: ReactNode;
}

/** A part of a form that is folded until somebody needs it, or something in it is wrong. */
export function FormSection({ title, aside, open, children }: Props) {
  return (
    <details className="group card" {...useFold(open)}>
      <summary className="flex min-h-12 items-center gap-2 rounded-xl px-4 py-2 text-sm font-medium">
        <ChevronRight
          aria-hidden
          className="size-4 shrink-0 text-dim transition-transform group-open:rotate-90"
        />
        {title}
        {aside !== undefined && <span className="ml-auto text-right font-normal text-dim">{aside}</span>}
      </summary>
      <div className="space-y-5 px-4 pt-1 pb-5">{children}</div>
    </details>
  );
}
