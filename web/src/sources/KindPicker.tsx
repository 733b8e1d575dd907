import { useId } from 'react';
import type { Kind } from '../api/types';
import { SourceIcon } from '../ui/kinds';

interface Props {
  kinds: readonly Kind[];
  value: string;
  onChange: (kind: Kind) => void;
}

/** What there is to watch, as cards; only the chosen one explains itself. */
export function KindPicker({ kinds, value, onChange }: Props) {
  const name = useId();
  const chosen = kinds.find(({ kind }) => kind === value);
  return (
    <fieldset>
      <legend className="mb-2 text-sm font-medium">What do you want to watch?</legend>
      <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
        {kinds.map((kind) => (
          <label
            key={kind.kind}
            className="card flex min-h-11 cursor-pointer items-center gap-2.5 px-3 py-2 text-sm font-medium transition-colors hover:bg-raised has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              className="sr-only"
              checked={kind.kind === value}
              onChange={() => onChange(kind)}
            />
            <SourceIcon kind={kind.kind} className="size-5 shrink-0 text-accent" />
            {kind.title}
          </label>
        ))}
      </div>
      {chosen && (
        <p aria-live="polite" className="mt-2 text-xs text-dim">
          {chosen.description}
        </p>
      )}
    </fieldset>
  );
}
