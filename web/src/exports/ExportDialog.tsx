import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../api/client';
import { serverNow } from '../api/clock';
import { templatesQuery } from '../api/queries';
import { CheckField, FormError, SelectField, TextField } from '../forms/Input';
import { findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import type { Errors } from '../forms/schema';
import { jobKeys } from '../jobs/queries';
import { Dialog } from '../ui/Dialog';
import { toast } from '../ui/toasts';
import {
  checkExport,
  EXPORT_KINDS,
  exportBody,
  hasLength,
  newExport,
  subjectsFor,
  type ExportKind,
  type ExportValues,
} from './model';
import { exportKeys } from './queries';

const KINDS = Object.entries(EXPORT_KINDS).map(([value, { label }]) => ({ value, label }));

/** Asks for a film or an archive. */
export function ExportDialog({ subject, onClose }: { subject?: string | undefined; onClose: () => void }) {
  const queryClient = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const templates = useQuery(templatesQuery).data ?? [];
  const [values, setValues] = useState(() => newExport(serverNow(), subject));
  const [missing, setMissing] = useState<Errors>({});
  const subjects = subjectsFor(values.kind, templates);
  const chosen = subjects.some(({ value }) => value === values.subject) ? values.subject : '';
  const making = useMutation({
    mutationFn: () => bodyOf(api.POST('/api/exports', { body: exportBody({ ...values, subject: chosen }) })),
    onSuccess: () => {
      toast('It is being made.');
      onClose();
    },
    onError: () => focusFirstError(form.current),
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: exportKeys.all });
      void queryClient.invalidateQueries({ queryKey: jobKeys.all });
    },
  });
  const found = making.isError ? findingsOf(making.error, ['from', 'to', 'length_s']) : NO_FINDINGS;
  const errors = { ...found.fields, ...missing };
  const set = (change: Partial<ExportValues>) => {
    setValues({ ...values, ...change });
    setMissing({});
    making.reset();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = checkExport({ ...values, subject: chosen });
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) focusFirstError(form.current);
    else making.mutate();
  };
  return (
    <Dialog title="Make a film or an archive" onClose={onClose}>
      <form ref={form} noValidate className="space-y-5" onSubmit={submit}>
        <SelectField
          label="What"
          value={values.kind}
          options={KINDS}
          hint={EXPORT_KINDS[values.kind].hint}
          onChange={(kind) => set({ kind: kind as ExportKind })}
        />
        <SelectField
          label="Of"
          value={chosen}
          options={[{ value: '', label: 'Choose' }, ...subjects]}
          error={errors.subject}
          onChange={(next) => set({ subject: next })}
        />
        <div className="grid gap-4">
          <TextField
            label="From"
            type="datetime-local"
            value={values.from}
            error={errors.from}
            onChange={(from) => set({ from })}
          />
          <TextField
            label="To"
            type="datetime-local"
            value={values.to}
            error={errors.to}
            onChange={(to) => set({ to })}
          />
        </div>
        {hasLength(values.kind) && (
          <TextField
            label={values.kind === 'teaser' ? 'Length for each source' : 'Length of the film'}
            unit="s"
            inputMode="decimal"
            value={values.lengthS}
            error={errors.length_s}
            onChange={(lengthS) => set({ lengthS })}
          />
        )}
        {values.kind !== 'zip' && (
          <CheckField
            label="Write the time into the picture"
            checked={values.showTime}
            onChange={(showTime) => set({ showTime })}
          />
        )}
        <FormError>{found.form}</FormError>
        <div className="flex justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn btn-primary" disabled={making.isPending}>
            {making.isPending ? 'Asking…' : 'Make it'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
