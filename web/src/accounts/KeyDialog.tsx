import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../api/client';
import { serverNow } from '../api/clock';
import type { NewApiKey } from '../api/types';
import { FormError, SelectField, TextField } from '../forms/Input';
import { findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import type { Errors } from '../forms/schema';
import { CopyField } from '../ui/CopyField';
import { Dialog } from '../ui/Dialog';
import { keyForm, LIFETIMES, NEW_KEY } from './model';
import { accountKeys } from './queries';
import { RoleFields } from './RoleFields';

const POINTERS = ['name', 'role', 'groups', 'expires_at'];

/** Makes a key, and then shows it: the only time it can be seen. */
export function KeyDialog({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<NewApiKey | null>(null);
  return (
    <Dialog title={made ? `The key ${made.name}` : 'Make an API key'} onClose={onClose}>
      {made ? <MadeKey made={made} onClose={onClose} /> : <KeyForm onMade={setMade} onClose={onClose} />}
    </Dialog>
  );
}

function KeyForm({ onMade, onClose }: { onMade: (key: NewApiKey) => void; onClose: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const queryClient = useQueryClient();
  const [values, setValues] = useState(NEW_KEY);
  const [missing, setMissing] = useState<Errors>({});
  const making = useMutation({
    mutationFn: () => bodyOf(api.POST('/api/admin/api-keys', { body: keyForm(values, serverNow()) })),
    onSuccess: onMade,
    onError: () => focusFirstError(form.current),
    onSettled: () => queryClient.invalidateQueries({ queryKey: accountKeys.apiKeys }),
    // The key is shown and then forgotten, here as on the server.
    gcTime: 0,
  });
  const found = making.isError ? findingsOf(making.error, POINTERS) : NO_FINDINGS;
  const errors = { ...found.fields, ...missing };
  const set = (change: Partial<typeof values>) => {
    setValues({ ...values, ...change });
    setMissing({});
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const isNamed = values.name.trim() !== '';
    setMissing(isNamed ? {} : { name: 'A name is needed.' });
    if (isNamed) making.mutate();
    else focusFirstError(form.current);
  };
  return (
    <form ref={form} noValidate className="space-y-5" onSubmit={submit}>
      <TextField
        label="Name"
        required
        placeholder="Home automation"
        maxLength={100}
        error={errors.name}
        value={values.name}
        onChange={(name) => set({ name })}
      />
      <RoleFields role={values.role} groups={values.groups} errors={errors} onChange={set} />
      <SelectField
        label="Valid for"
        value={values.lifetime}
        options={LIFETIMES}
        error={errors.expires_at}
        onChange={(lifetime) => set({ lifetime })}
      />
      <FormError>{found.form}</FormError>
      <div className="flex justify-end gap-2">
        <button type="button" className="btn" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="btn btn-primary" disabled={making.isPending}>
          {making.isPending ? 'Making…' : 'Make key'}
        </button>
      </div>
    </form>
  );
}

function MadeKey({ made, onClose }: { made: NewApiKey; onClose: () => void }) {
  return (
    <div className="space-y-5">
      <CopyField
        label="Key"
        hint="It is shown this once. Programs send it in the header x-api-key."
        value={made.key}
      />
      <div className="flex justify-end">
        <button type="button" className="btn btn-primary" onClick={onClose}>
          I have kept it
        </button>
      </div>
    </div>
  );
}
