/** Filters above a list. What they hold is in the address: a link shows the same list to everybody. */

import { ChevronDown, Search, X } from 'lucide-react';
import { useState, type SubmitEvent, type ReactNode } from 'react';

/** A row of filters, which a narrow screen scrolls sideways. */
export function FilterBar({ children }: { children: ReactNode }) {
  return (
    <div
      role="group"
      aria-label="Filters"
      className="-mx-4 flex max-w-[100vw] items-center gap-2 overflow-x-auto px-4 py-0.5 md:mx-0 md:flex-wrap md:justify-end md:px-0.5"
    >
      {children}
    </div>
  );
}

export function ClearButton({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" className="btn btn-quiet" onClick={onClick}>
      <X aria-hidden className="size-4" />
      Clear
    </button>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  children: ReactNode;
  onChange: (value: string) => void;
}

export function Choice({ label, value, children, onChange }: ChoiceProps) {
  return (
    <div className={`relative shrink-0 rounded-lg ${value ? 'bg-accent-soft' : ''}`}>
      <select
        aria-label={label}
        className="field max-w-44 appearance-none border-line bg-transparent pr-8 text-sm"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {children}
      </select>
      <ChevronDown
        aria-hidden
        className="pointer-events-none absolute top-1/2 right-2.5 size-4 -translate-y-1/2 text-dim"
      />
    </div>
  );
}

interface DayProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

export function DayFilter({ label, value, onChange }: DayProps) {
  return (
    <div className={`relative shrink-0 rounded-lg ${value ? 'bg-accent-soft' : ''}`}>
      <input
        type="date"
        aria-label={label}
        title={label}
        className="field w-36 border-line bg-transparent text-sm"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

interface TextProps {
  label: string;
  placeholder: string;
  value: string;
  onChange: (value: string) => void;
}

/** Takes effect on Enter, and when the field is left. */
export function TextFilter({ label, placeholder, value, onChange }: TextProps) {
  const [text, setText] = useState(value);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onChange(text.trim());
  };
  return (
    <form role="search" className="relative shrink-0" onSubmit={submit}>
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-dim"
      />
      <input
        type="search"
        aria-label={label}
        placeholder={placeholder}
        className="field w-36 border-line bg-transparent pl-9 text-sm"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => text.trim() !== value && onChange(text.trim())}
      />
    </form>
  );
}
