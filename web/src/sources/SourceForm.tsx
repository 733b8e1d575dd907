import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type SubmitEvent, type ReactNode } from 'react';
import { isStatus } from '../api/errors';
import type { Kind, Template, TemplateForm } from '../api/types';
import { CheckField, FieldFrame, FormError, RangeField, SelectField, TextField } from '../forms/Input';
import { below, findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import { fieldsOf, type Errors } from '../forms/schema';
import { SchemaForm } from '../forms/SchemaForm';
import { FormSection } from '../forms/Section';
import { percent } from '../format/words';
import { AreaEditor } from './AreaEditor';
import { KindPicker } from './KindPicker';
import { useProbe } from './ProbeResult';
import { TryPanel } from './TryPanel';
import { SENT_KIND } from './push';
import { retentionInWords } from './retention';
import { RetentionFields } from './RetentionFields';
import { SCHEDULE_POINTERS } from './schedule';
import { ScheduleFields } from './ScheduleFields';
import {
  checkConfig,
  checkSource,
  DETECTORS,
  newSource,
  pointersOf,
  sourceBody,
  sourceValues,
  trialOf,
  type SourceValues,
  type Start,
} from './model';

interface Props {
  kinds: readonly Kind[];
  template?: Template;
  /** What a new source begins with; another one needs another `key`. */
  start?: Start | undefined;
  /** Sends the body; resolves when it is stored. */
  save: (body: TemplateForm) => Promise<Template>;
  onSaved: (template: Template) => void;
  /** Drawn when somebody else has changed the source since it was read. */
  conflict?: ReactNode;
  cancel: ReactNode;
}

export function SourceForm({ kinds, template, start, save, onSaved, conflict, cancel }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState(() => startValues(kinds, template, start));
  const [missing, setMissing] = useState<Errors>({});
  const kind = kinds.find((one) => one.kind === values.kind);
  const fields = kind ? fieldsOf(kind.schema) : [];
  const saving = useMutation({
    mutationFn: () => save(sourceBody(values, fields, template)),
    onSuccess: onSaved,
    onError: () => focusFirstError(form.current),
  });
  const hasConflict = isStatus(saving.error, 412);
  const probe = useProbe();
  const refusal = saving.isError && !hasConflict ? saving.error : probe.refusal;
  const found = refusal === null ? NO_FINDINGS : findingsOf(refusal, pointersOf(fields));
  const errors = { ...found.fields, ...missing };
  const set = (change: Partial<SourceValues>) => {
    setValues({ ...values, ...change });
    setMissing({});
    if (probe.refusal !== null) probe.reset();
    if (!hasConflict) saving.reset();
  };
  const isFine = (wrong: Errors) => {
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) focusFirstError(form.current);
    return Object.keys(wrong).length === 0;
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isFine(checkSource(values, fields))) saving.mutate();
  };
  const tryOut = () => {
    if (isFine(checkConfig(values, fields))) probe.start(trialOf(values, fields, template));
  };
  return (
    <form
      ref={form}
      noValidate
      className="grid max-w-[560px] gap-6 px-4 pb-10 md:px-6 xl:max-w-[1040px] xl:grid-cols-[512px_minmax(0,1fr)] xl:gap-x-8"
      onSubmit={submit}
    >
      <div className="min-w-0 space-y-6">
        {!template && (
          <KindPicker kinds={kinds} value={values.kind} onChange={(next) => set(switched(values, next))} />
        )}
        <TextField
          label="Name"
          required
          placeholder="Front door"
          maxLength={100}
          error={errors.name}
          value={values.name}
          onChange={(name) => set({ name })}
        />
        <SchemaForm
          key={values.kind}
          fields={fields}
          values={values.config}
          errors={below('config', errors)}
          stored={template?.secrets ?? []}
          onChange={(config) => set({ config })}
        />
      </div>
      <div className="min-w-0 xl:sticky xl:top-6 xl:col-start-2 xl:row-span-2 xl:row-start-1 xl:self-start">
        {values.kind !== SENT_KIND && <TryPanel probe={probe} kinds={kinds} onTry={tryOut} />}
      </div>
      <div className="min-w-0 space-y-6">
        <div className="space-y-3">
          <FormSection title="Schedule" open={SCHEDULE_POINTERS.some((name) => hasAny(errors, name))}>
            <ScheduleFields
              value={values.schedule}
              errors={errors}
              onChange={(schedule) => set({ schedule })}
            />
          </FormSection>
          <MotionSection values={values} errors={errors} set={set} />
          <AreaSection template={template} values={values} errors={errors} set={set} />
          <FormSection
            title="How long it is kept"
            aside={retentionInWords(values.retention)}
            open={hasAny(errors, 'retention')}
          >
            <RetentionFields
              value={values.retention}
              errors={errors}
              onChange={(retention) => set({ retention })}
            />
          </FormSection>
          <FilmSection values={values} errors={errors} set={set} />
          <MoreSection values={values} errors={errors} set={set} />
        </div>
        {hasConflict && conflict}
        <FormError>{saving.isError ? found.form : null}</FormError>
        <div className="sticky bottom-14 z-10 -mx-4 flex items-center gap-2 border-t border-line bg-canvas px-4 py-3 md:static md:mx-0 md:border-0 md:p-0">
          <button type="submit" className="btn btn-primary" disabled={saving.isPending}>
            {saving.isPending ? 'Saving…' : template ? 'Save changes' : 'Add source'}
          </button>
          {cancel}
        </div>
      </div>
    </form>
  );
}

interface SectionProps {
  values: SourceValues;
  errors: Errors;
  set: (change: Partial<SourceValues>) => void;
}

function MotionSection({ values, errors, set }: SectionProps) {
  return (
    <FormSection title="Motion" open={hasAny(errors, 'motion')}>
      <SelectField
        label="Detector"
        value={values.detector}
        options={DETECTORS}
        error={errors['motion/detector']}
        onChange={(detector) => set({ detector })}
      />
      {values.detector !== 'off' && (
        <>
          <RangeField
            label="Sensitivity"
            hint="Higher notices fainter changes."
            value={values.sensitivity}
            shown={percent(values.sensitivity)}
            error={errors['motion/sensitivity']}
            onChange={(sensitivity) => set({ sensitivity })}
          />
          <RangeField
            label="Smallest motion"
            hint="How much of the picture must move to count."
            step={0.005}
            value={values.threshold}
            shown={percent(values.threshold)}
            error={errors['motion/threshold']}
            onChange={(threshold) => set({ threshold })}
          />
        </>
      )}
    </FormSection>
  );
}

/** A source must give a picture before areas can be drawn into it. */
function AreaSection({ template, values, errors, set }: SectionProps & { template: Template | undefined }) {
  const { width, height } = template?.stream ?? { width: null, height: null };
  return (
    <FormSection title="Areas, privacy and captions" open={hasAny(errors, 'zones')}>
      {template ? (
        <AreaEditor
          sourceId={template.id}
          ratio={width && height ? `${width} / ${height}` : '16 / 9'}
          areas={values.areas}
          onChange={(areas) => set({ areas })}
        />
      ) : (
        <p className="text-sm text-dim">
          Zones and privacy masks are drawn into the picture: add the source first, then edit it.
        </p>
      )}
      <CheckField
        label="Write the name into every picture"
        checked={values.overlay.name}
        onChange={(name) => set({ overlay: { ...values.overlay, name } })}
      />
      <CheckField
        label="Write the time into every picture"
        hint="On the clock of its time zone, or of this server. Motion detection does not see it."
        checked={values.overlay.time}
        onChange={(time) => set({ overlay: { ...values.overlay, time } })}
      />
    </FormSection>
  );
}

function FilmSection({ values, errors, set }: SectionProps) {
  const { film } = values;
  return (
    <FormSection
      title="Film of each day"
      aside={film.daily ? 'On' : undefined}
      open={hasAny(errors, 'timelapse')}
    >
      <CheckField
        label="Make a timelapse every night"
        hint="Of the pictures stored that day. It is under Films, and kept for some days."
        checked={film.daily}
        onChange={(daily) => set({ film: { ...film, daily } })}
      />
      {film.daily && (
        <TextField
          label="Length of the film"
          unit="s"
          inputMode="decimal"
          error={errors['timelapse/length_s']}
          value={film.lengthS}
          onChange={(lengthS) => set({ film: { ...film, lengthS } })}
        />
      )}
    </FormSection>
  );
}

function MoreSection({ values, errors, set }: SectionProps) {
  return (
    <FormSection title="Groups and notes" open={hasAny(errors, 'groups') || hasAny(errors, 'notes')}>
      <TextField
        label="Groups"
        optional
        placeholder="Home, Garden"
        hint="Separated by commas. The wall can show one group at a time."
        error={errors.groups}
        value={values.groups}
        onChange={(groups) => set({ groups })}
      />
      <FieldFrame label="Notes" optional error={errors.notes}>
        {(aria) => (
          <textarea
            {...aria}
            rows={3}
            className="field"
            value={values.notes}
            onChange={(event) => set({ notes: event.target.value })}
          />
        )}
      </FieldFrame>
      <CheckField
        label="Switched on"
        hint="A source that is switched off is kept, but not watched."
        checked={values.enabled}
        onChange={(enabled) => set({ enabled })}
      />
    </FormSection>
  );
}

function startValues(
  kinds: readonly Kind[],
  template: Template | undefined,
  start: Start | undefined,
): SourceValues {
  const kind = kinds.find((one) => one.kind === (template ?? start)?.kind) ?? kinds[0];
  if (!kind) throw new Error('The server offers no kind of source.');
  return template ? sourceValues(template, kind) : newSource(kind, start?.config);
}

/** Another kind has another config; what was typed above it stays. */
function switched(values: SourceValues, kind: Kind): SourceValues {
  return { ...values, kind: kind.kind, config: newSource(kind).config };
}

function hasAny(errors: Errors, prefix: string): boolean {
  return Object.keys(errors).some((name) => name === prefix || name.startsWith(`${prefix}/`));
}
