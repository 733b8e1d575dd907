import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef, useState, type SubmitEvent } from 'react';
import { ApiError } from '../api/errors';
import { channelsQuery, keys, templateQuery } from '../api/queries';
import type { LevelName, Rule, Template } from '../api/types';
import { CheckField, FormError, RangeField, SelectField, TextField } from '../forms/Input';
import { findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import type { Errors } from '../forms/schema';
import { eventKind, LEVEL_NAMES, LEVELS, percent } from '../format/words';
import { patchSource } from '../sources/mutations';
import { Dialog } from '../ui/Dialog';
import { toast } from '../ui/toasts';
import {
  checkRule,
  newRule,
  RULE_EVENTS,
  RULE_POINTERS,
  ruleBody,
  ruleValues,
  type RuleValues,
} from './model';
import { QuietHoursField } from './QuietHoursField';

interface Props {
  template: Template;
  rule?: Rule;
  onClose: () => void;
}

export function RuleDialog({ template, rule, onClose }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const queryClient = useQueryClient();
  const [values, setValues] = useState(() => (rule ? ruleValues(rule) : newRule(localZone())));
  const [missing, setMissing] = useState<Errors>({});
  const rules = template.rules ?? [];
  const index = rule ? rules.findIndex(({ id }) => id === rule.id) : rules.length;
  const saving = useMutation({
    mutationFn: () =>
      patchSource(template, { rules: rules.toSpliced(index, 1, ruleBody(values, rule) as Rule) }),
    onSuccess: (saved) => {
      queryClient.setQueryData(keys.template(saved.id), saved);
      toast('Rule saved.');
      onClose();
    },
    onError: () => {
      focusFirstError(form.current);
      void queryClient.invalidateQueries(templateQuery(template.id));
    },
  });
  const found = saving.isError
    ? findingsOf(withoutPrefix(saving.error, `/rules/${index}`), RULE_POINTERS)
    : NO_FINDINGS;
  const errors = { ...found.fields, ...missing };
  const set = (change: Partial<RuleValues>) => {
    setValues({ ...values, ...change });
    setMissing({});
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = checkRule(values);
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) focusFirstError(form.current);
    else saving.mutate();
  };
  return (
    <Dialog title={rule ? `Edit ${rule.name}` : 'Add a rule'} wide onClose={onClose}>
      <form ref={form} noValidate className="space-y-5" onSubmit={submit}>
        <TextField
          label="Name"
          required
          placeholder="Somebody at the door"
          error={errors.name}
          value={values.name}
          onChange={(name) => set({ name })}
        />
        <WhenFields
          values={values}
          errors={errors}
          zones={template.zones.map(({ name }) => name)}
          set={set}
        />
        <ThenFields values={values} errors={errors} set={set} />
        <QuietHoursField
          value={values.quietHours}
          timezone={values.timezone}
          error={errors.quiet_hours ?? errors.timezone}
          onChange={(quietHours, timezone) => set({ quietHours, timezone })}
        />
        <FormError>{found.form}</FormError>
        <div className="flex justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn btn-primary" disabled={saving.isPending}>
            {saving.isPending ? 'Saving…' : 'Save rule'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface PartProps {
  values: RuleValues;
  errors: Errors;
  set: (change: Partial<RuleValues>) => void;
}

function WhenFields({ values, errors, zones, set }: PartProps & { zones: readonly string[] }) {
  const isMotion = values.event === 'motion';
  const known: readonly string[] = RULE_EVENTS;
  const events = known.includes(values.event) ? known : [values.event, ...known];
  return (
    <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">
      <SelectField
        label="When this happens"
        value={values.event}
        options={events.map((kind) => ({ value: kind, label: eventKind(kind) }))}
        error={errors['when/event']}
        onChange={(event) => set({ event })}
      />
      {isMotion && zones.length > 0 && (
        <SelectField
          label="In"
          value={values.zone}
          options={[
            { value: '', label: 'the whole picture' },
            ...zones.map((zone) => ({ value: zone, label: zone })),
          ]}
          error={errors['when/zone']}
          onChange={(zone) => set({ zone })}
        />
      )}
      {isMotion && (
        <div className="sm:col-span-2">
          <RangeField
            label="Least motion"
            hint="How much of the picture moves at the peak."
            step={0.005}
            value={values.minScore}
            shown={percent(values.minScore)}
            error={errors['when/min_score']}
            onChange={(minScore) => set({ minScore })}
          />
        </div>
      )}
    </div>
  );
}

function ThenFields({ values, errors, set }: PartProps) {
  const channels = useQuery(channelsQuery);
  const toggle = (id: string, on: boolean) =>
    set({ channels: on ? [...values.channels, id] : values.channels.filter((one) => one !== id) });
  return (
    <>
      <fieldset>
        <legend className="mb-1 text-sm font-medium">Tell</legend>
        {channels.data?.map(({ id, name }) => (
          <CheckField
            key={id}
            label={name}
            checked={values.channels.includes(id)}
            onChange={(on) => toggle(id, on)}
          />
        ))}
        {channels.data?.length === 0 && (
          <p className="text-sm text-dim">
            There is no channel yet.{' '}
            <Link to="/channels" className="text-accent underline underline-offset-2">
              Add one
            </Link>{' '}
            to be told.
          </p>
        )}
        {errors.channels !== undefined && <p className="mt-1 text-xs text-danger">{errors.channels}</p>}
      </fieldset>
      <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">
        <SelectField
          label="As"
          value={values.level}
          options={LEVEL_NAMES.slice(1).map((level) => ({ value: level, label: LEVELS[level] }))}
          error={errors.level}
          onChange={(level) => set({ level: level as LevelName })}
        />
        <TextField
          label="At most once every"
          unit="s"
          inputMode="numeric"
          hint="What happens sooner makes no new alert."
          error={errors.dedupe_s}
          value={values.dedupeS}
          onChange={(dedupeS) => set({ dedupeS })}
        />
      </div>
    </>
  );
}

function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The server's pointers begin at the source; the form knows one rule of it. */
function withoutPrefix(error: unknown, prefix: string): unknown {
  if (!(error instanceof ApiError)) return error;
  const fields = error.fields.map(({ pointer, message }) => ({
    pointer: pointer.startsWith(prefix) ? pointer.slice(prefix.length) : pointer,
    message,
  }));
  return new ApiError(error.status, {
    title: error.message,
    detail: error.message,
    requestId: error.requestId,
    fields,
  });
}
