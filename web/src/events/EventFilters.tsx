import { getRouteApi } from '@tanstack/react-router';
import type { Template } from '../api/types';
import { eventKind, FILTER_KINDS, LEVEL_NAMES, LEVELS } from '../format/words';
import { eventSearch, type EventSearch } from '../pages/search';
import { Choice, ClearButton, DayFilter, FilterBar, TextFilter } from '../ui/filters';

const route = getRouteApi('/shell/events');

/** The filters live in the address: a link shows the same list to everybody. */
export function EventFilters({ templates }: { templates: readonly Template[] }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (
    change: Record<keyof EventSearch, string | undefined> | Partial<Record<keyof EventSearch, string>>,
  ) => void navigate({ search: eventSearch({ ...search, ...change }), replace: true });
  return (
    <FilterBar>
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
      <DayFilter label="Day" value={search.day ?? ''} onChange={(day) => set({ day })} />
      <TextFilter
        key={search.q ?? ''}
        label="Text in the message"
        placeholder="Search"
        value={search.q ?? ''}
        onChange={(q) => set({ q })}
      />
      {Object.keys(search).length > 0 && <ClearButton onClick={() => void navigate({ search: {} })} />}
    </FilterBar>
  );
}
