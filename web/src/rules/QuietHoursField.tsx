import { Plus, X } from 'lucide-react';
import type { QuietHours } from '../api/types';
import { SelectField } from '../forms/Input';
import { DAY_NAMES, DAYS } from './model';

interface Props {
  value: readonly QuietHours[];
  timezone: string;
  error: string | undefined;
  onChange: (value: QuietHours[], timezone: string) => void;
}

const NIGHT: QuietHours = { days: [...DAYS], from: '22:00', to: '07:00' };

/** Hours without alerts; those that end before they begin go past midnight. */
export function QuietHoursField({ value, timezone, error, onChange }: Props) {
  return (
    <div className="space-y-3">
      <HoursField
        legend="Quiet hours"
        item="Quiet hours"
        value={value}
        error={error}
        onChange={(hours) => onChange(hours, timezone)}
      />
      {value.length > 0 && <ZoneField value={timezone} onChange={(zone) => onChange([...value], zone)} />}
    </div>
  );
}

interface HoursProps {
  legend: string;
  /** What one of them is called. */
  item: string;
  value: readonly QuietHours[];
  error: string | undefined;
  onChange: (value: QuietHours[]) => void;
}

export function HoursField({ legend, item, value, error, onChange }: HoursProps) {
  return (
    <fieldset className="space-y-3">
      <legend className="mb-1 text-sm font-medium">{legend}</legend>
      {value.map((hours, index) => (
        <HoursRow
          key={index}
          name={`${item} ${index + 1}`}
          hours={hours}
          onChange={(next) => onChange(value.with(index, next))}
          onRemove={() => onChange(value.toSpliced(index, 1))}
        />
      ))}
      {error !== undefined && (
        <p role="alert" className="text-xs text-danger">
          {error}
        </p>
      )}
      <button type="button" className="btn" onClick={() => onChange([...value, NIGHT])}>
        <Plus aria-hidden className="size-4" />
        Add {item.toLowerCase()}
      </button>
    </fieldset>
  );
}

interface ZoneProps {
  value: string;
  error?: string | undefined;
  onChange: (zone: string) => void;
}

export function ZoneField({ value, error, onChange }: ZoneProps) {
  return (
    <SelectField
      label="Time zone"
      value={value}
      error={error}
      options={zones(value).map((zone) => ({ value: zone, label: zone.replaceAll('_', ' ') }))}
      onChange={onChange}
    />
  );
}

interface RowProps {
  name: string;
  hours: QuietHours;
  onChange: (hours: QuietHours) => void;
  onRemove: () => void;
}

function HoursRow({ name, hours, onChange, onRemove }: RowProps) {
  const toggle = (day: QuietHours['days'][number]) => {
    const on = hours.days.includes(day);
    const days = on
      ? hours.days.filter((one) => one !== day)
      : DAYS.filter((one) => one === day || hours.days.includes(one));
    onChange({ ...hours, days });
  };
  return (
    <div role="group" aria-label={name} className="rounded-lg border border-line p-3">
      <div className="flex flex-wrap gap-1">
        {DAYS.map((day) => (
          <button
            key={day}
            type="button"
            aria-pressed={hours.days.includes(day)}
            className="chip px-2.5!"
            onClick={() => toggle(day)}
          >
            {DAY_NAMES[day]}
          </button>
        ))}
      </div>
      <div className="mt-3 flex items-center gap-2 text-sm text-dim">
        <input
          type="time"
          required
          aria-label="From"
          className="field w-32"
          value={hours.from}
          onChange={(event) => onChange({ ...hours, from: event.target.value })}
        />
        to
        <input
          type="time"
          required
          aria-label="To"
          className="field w-32"
          value={hours.to}
          onChange={(event) => onChange({ ...hours, to: event.target.value })}
        />
        <button
          type="button"
          className="btn btn-icon btn-quiet ml-auto"
          aria-label={`Remove ${name.toLowerCase()}`}
          onClick={onRemove}
        >
          <X aria-hidden className="size-4" />
        </button>
      </div>
    </div>
  );
}

function zones(current: string): string[] {
  const known = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  return known.includes(current) ? known : [current, ...known];
}
