import { getRouteApi } from '@tanstack/react-router';
import { ChevronDown, Search, X } from 'lucide-react';
import { useState, type SubmitEvent, type ReactNode } from 'react';
import type { Template } from '../api/types';
import { eventKind, FILTER_KINDS, LEVEL_NAMES, LEVELS } from '../format/words';
import { eventSearch, type EventSearch } from '../pages/search';

const route = getRouteApi('/shell/events');

/** The filters live in the address: a link shows the same list to everybody. */
export function EventFilters({ templates }: { templates: readonly Template[] }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (
    change: Record<keyof EventSearch, string | undefined> | Partial<Record<keyof EventSearch, string>>,
  ) => void navigate({ search: eventSearch({ ...search, ...change }), replace: true });
  return (
    <div
      role="group"
      aria-label="Filters"
      className="-mx-4 flex max-w-[100vw] items-center gap-2 overflow-x-auto px-4 py-0.5 md:mx-0 md:flex-wrap md:justify-end md:px-0.5"
    >
      <Choice label="Kind" value={search.kind ?? ''} onChange={(kind) => set({ kind })}>
        <option value="">All kinds</option>
        {FILTER_KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {eventKind(kind)}
          </option>
        ))}
      </Choice>
      <Choice label="Source" value={search.source ?? ''} onChange={(source) => set({ source })}>
        <option value="">All sources</option>
        {templates.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Choice>
      <Choice label="Level" value={search.level ?? ''} onChange={(level) => set({ level })}>
        <option value="">All levels</option>
        {LEVEL_NAMES.slice(1).map((level) => (
          <option key={level} value={level}>
            {LEVELS[level]} and up
          </option>
        ))}
      </Choice>
      <div className={`relative shrink-0 rounded-lg ${search.day ? 'bg-accent-soft' : ''}`}>
        <input
          type="date"
          aria-label="Day"
          className="field w-36 border-line bg-transparent text-sm"
          value={search.day ?? ''}
          onChange={(event) => set({ day: event.target.value })}
        />
      </div>
      <TextFilter key={search.q ?? ''} value={search.q ?? ''} onChange={(q) => set({ q })} />
      {Object.keys(search).length > 0 && (
        <button type="button" className="btn btn-quiet" onClick={() => void navigate({ search: {} })}>
          <X aria-hidden className="size-4" />
          Clear
        </button>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  children: ReactNode;
  onChange: (value: string) => void;
}

function Choice({ label, value, children, onChange }: ChoiceProps) {
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

function TextFilter({ value, onChange }: { value: string; onChange: (value: string) => void }) {
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
        aria-label="Text in the message"
        placeholder="Search"
        className="field w-36 border-line bg-transparent pl-9 text-sm"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => text.trim() !== value && onChange(text.trim())}
      />
    </form>
  );
}
