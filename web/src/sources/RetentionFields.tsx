import { SelectField, TextField } from '../forms/Input';
import type { Errors } from '../forms/schema';
import { THINNINGS, type RetentionValues } from './retention';

interface Props {
  value: RetentionValues;
  errors: Errors;
  onChange: (value: RetentionValues) => void;
}

export function RetentionFields({ value, errors, onChange }: Props) {
  const set = (change: Partial<RetentionValues>) => onChange({ ...value, ...change });
  return (
    <>
      <p className="text-sm text-dim">What is left empty is as for all sources. The oldest go first.</p>
      <div className="grid gap-x-4 gap-y-5 sm:grid-cols-3">
        <TextField
          label="Keep for"
          optional
          unit="days"
          inputMode="numeric"
          error={errors['retention/max_age_days']}
          value={value.days}
          onChange={(days) => set({ days })}
        />
        <TextField
          label="At most"
          optional
          unit="pictures"
          inputMode="numeric"
          error={errors['retention/max_count']}
          value={value.count}
          onChange={(count) => set({ count })}
        />
        <TextField
          label="Space"
          optional
          unit="GB"
          inputMode="decimal"
          error={errors['retention/max_bytes']}
          value={value.gigabytes}
          onChange={(gigabytes) => set({ gigabytes })}
        />
      </div>
      <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">
        <SelectField
          label="Thin out older ones"
          value={value.thinTo}
          options={THINNINGS}
          error={errors['retention/thin_to']}
          onChange={(thinTo) => set({ thinTo: thinTo as RetentionValues['thinTo'] })}
        />
        <TextField
          label="Thin out after"
          optional
          unit="days"
          inputMode="numeric"
          error={errors['retention/thin_after_days']}
          value={value.thinAfterDays}
          onChange={(thinAfterDays) => set({ thinAfterDays })}
        />
      </div>
    </>
  );
}
