import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiError, explain } from '../api/errors';
import { CheckField, SelectField, TextField } from '../forms/Input';
import type { Errors } from '../forms/schema';
import { dayAndClock } from '../format/time';
import { HoursField, ZoneField } from '../rules/QuietHoursField';
import { previewQuery } from './queries';
import { ACTIONS, CATCH_UPS, isUsual, RHYTHMS, type ScheduleValues } from './schedule';

interface Props {
  value: ScheduleValues;
  errors: Errors;
  onChange: (value: ScheduleValues) => void;
}

const OTHER = 'other';
const ASK_AFTER_MS = 400;
const SHOWN_RUNS = 3;

export function ScheduleFields({ value, errors, onChange }: Props) {
  const [typed, setTyped] = useState(!isUsual(value.cron));
  const set = (change: Partial<ScheduleValues>) => onChange({ ...value, ...change });
  const choose = (rhythm: string) => {
    setTyped(rhythm === OTHER);
    if (rhythm !== OTHER) set({ cron: rhythm });
  };
  return (
    <>
      <CheckField
        label="Watch it all the time"
        hint="Off: it is captured by the clock, and runs while somebody looks."
        checked={value.live}
        onChange={(live) => set({ live })}
      />
      <SelectField
        label="Capture it"
        value={typed ? OTHER : value.cron}
        options={[...RHYTHMS, { value: OTHER, label: 'At times of your own …' }]}
        onChange={choose}
      />
      {typed && (
        <TextField
          label="Times"
          placeholder="30 2 * * mon-fri"
          hint="A cron expression: minute, hour, day, month, day of the week."
          error={errors.schedule}
          value={value.cron}
          onChange={(cron) => set({ cron })}
        />
      )}
      {(typed || value.cron !== '') && (
        <>
          <Preview cron={value.cron.trim()} timezone={value.timezone} />
          <ZoneField
            value={value.timezone}
            error={errors.timezone}
            onChange={(timezone) => set({ timezone })}
          />
          <HoursField
            legend="Only between"
            item="Hours"
            value={value.windows}
            error={errors.schedule_windows}
            onChange={(windows) => set({ windows })}
          />
          <What value={value} errors={errors} set={set} />
        </>
      )}
    </>
  );
}

interface WhatProps {
  value: ScheduleValues;
  errors: Errors;
  set: (change: Partial<ScheduleValues>) => void;
}

function What({ value, errors, set }: WhatProps) {
  return (
    <>
      <SelectField
        label="What is done"
        value={value.action}
        options={ACTIONS}
        error={errors.action}
        onChange={(action) => set({ action: action as ScheduleValues['action'] })}
      />
      {value.action === 'record' && (
        <TextField
          label="For"
          unit="s"
          inputMode="decimal"
          error={errors.duration_s}
          value={value.durationS}
          onChange={(durationS) => set({ durationS })}
        />
      )}
      <TextField
        label="Begin later by up to"
        unit="s"
        inputMode="decimal"
        hint="Always the same for one time, so that not all sources begin at once."
        error={errors.jitter_ms}
        value={value.jitterS}
        onChange={(jitterS) => set({ jitterS })}
      />
      <SelectField
        label="Times that were missed"
        value={value.catchUp}
        options={CATCH_UPS}
        error={errors.catch_up}
        onChange={(catchUp) => set({ catchUp: catchUp as ScheduleValues['catchUp'] })}
      />
    </>
  );
}

/** Says what was typed in words, as the server reads it. */
function Preview({ cron, timezone }: { cron: string; timezone: string }) {
  const settled = useSettled(cron);
  const preview = useQuery({ ...previewQuery(settled, timezone), enabled: settled !== '' });
  if (settled === '') return null;
  return (
    <div role="status" className="min-h-14 rounded-lg bg-raised px-3 py-2 text-sm">
      {preview.isError ? (
        <p className="text-danger">{reasonOf(preview.error)}</p>
      ) : (
        preview.data && (
          <>
            <p>{preview.data.in_words}</p>
            <p className="num text-xs text-dim">
              {preview.data.next_runs.length === 0
                ? 'Never again'
                : `Next: ${preview.data.next_runs.slice(0, SHOWN_RUNS).map(dayAndClock).join(' · ')}`}
            </p>
          </>
        )
      )}
    </div>
  );
}

/** What is wrong with the expression itself, rather than that something is. */
function reasonOf(error: unknown): string {
  const [finding] = error instanceof ApiError ? error.fields : [];
  return finding?.message ?? explain(error);
}

/** The text as it is once nobody has typed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
