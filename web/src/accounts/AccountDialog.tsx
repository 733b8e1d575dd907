import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useRef, useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../api/client';
import { explain, isStatus } from '../api/errors';
import type { Account } from '../api/types';
import { CheckField, FormError, PasswordField, TextField } from '../forms/Input';
import { findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import type { Errors } from '../forms/schema';
import { Confirm, Dialog } from '../ui/Dialog';
import { toast } from '../ui/toasts';
import { accountChange, accountValues, checkAccount, LEAST_PASSWORD, newAccount } from './model';
import { accountKeys } from './queries';
import { RoleFields } from './RoleFields';

const CHANGED = 'Somebody else has changed this user. Close this, look, and try again.';
const POINTERS = ['email', 'password', 'role', 'groups', 'disabled'];

interface Props {
  account?: Account;
  isSelf: boolean;
  onClose: () => void;
}

export function AccountDialog({ account, isSelf, onClose }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState(() => accountValues(account));
  const [missing, setMissing] = useState<Errors>({});
  const saving = useSaveAccount(account, values, onClose);
  const found = saving.isError ? findingsOf(saving.error, POINTERS) : NO_FINDINGS;
  const errors = { ...found.fields, ...missing };
  const set = (change: Partial<typeof values>) => {
    setValues({ ...values, ...change });
    setMissing({});
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = checkAccount(values, account === undefined);
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) focusFirstError(form.current);
    else saving.mutate(undefined, { onError: () => focusFirstError(form.current) });
  };
  return (
    <Dialog title={account ? `Edit ${account.email}` : 'Add a user'} onClose={onClose}>
      <form ref={form} noValidate className="space-y-5" onSubmit={submit}>
        <TextField
          label="E-mail"
          type="email"
          required
          error={errors.email}
          value={values.email}
          onChange={(email) => set({ email })}
        />
        <PasswordField
          label={account ? 'New password' : 'Password'}
          optional={account !== undefined}
          autoComplete="new-password"
          placeholder={account ? 'Unchanged' : ''}
          hint={`At least ${LEAST_PASSWORD} characters.${account ? ' A new one ends all sessions of the user.' : ''}`}
          error={errors.password}
          value={values.password}
          onChange={(password) => set({ password })}
        />
        <RoleFields role={values.role} groups={values.groups} errors={errors} onChange={set} />
        {account && (
          <CheckField
            label="May sign in"
            hint="Whoever may not is signed out at once."
            checked={values.maySignIn}
            onChange={(maySignIn) => set({ maySignIn })}
          />
        )}
        <FormError>{isStatus(saving.error, 412) ? CHANGED : found.form}</FormError>
        <div className="flex items-center justify-end gap-2">
          {account && !isSelf && <RemoveButton account={account} onRemoved={onClose} />}
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn btn-primary" disabled={saving.isPending}>
            {saving.isPending ? 'Saving…' : account ? 'Save' : 'Add user'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function useSaveAccount(
  account: Account | undefined,
  values: ReturnType<typeof accountValues>,
  onSaved: () => void,
) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      if (!account) return bodyOf(api.POST('/api/admin/users', { body: newAccount(values) }));
      const params = { path: { user_id: account.id }, header: { 'if-match': `"${account.version}"` } };
      const body = accountChange(values, account);
      return bodyOf(api.PATCH('/api/admin/users/{user_id}', { params, body }));
    },
    onSuccess: (saved) => {
      toast(account ? 'Changes saved.' : `${saved.email} was added.`);
      onSaved();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: accountKeys.accounts }),
  });
}

function RemoveButton({ account, onRemoved }: { account: Account; onRemoved: () => void }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => {
      const params = { path: { user_id: account.id }, header: { 'if-match': `"${account.version}"` } };
      return api.DELETE('/api/admin/users/{user_id}', { params });
    },
    onSuccess: () => {
      toast(`${account.email} was deleted.`);
      onRemoved();
    },
    onError: (error) => toast(isStatus(error, 412) ? CHANGED : explain(error), 'bad'),
    onSettled: () => queryClient.invalidateQueries({ queryKey: accountKeys.accounts }),
  });
  return (
    <>
      <button type="button" className="btn btn-quiet mr-auto" onClick={() => setAsking(true)}>
        <Trash2 aria-hidden className="size-4" />
        Delete
      </button>
      {asking && (
        <Confirm
          title={`Delete ${account.email}?`}
          action="Delete user"
          busy={remove.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate(undefined, { onSettled: () => setAsking(false) })}
        >
          The user is signed out everywhere. What they did stays in the log of changes.
        </Confirm>
      )}
    </>
  );
}
