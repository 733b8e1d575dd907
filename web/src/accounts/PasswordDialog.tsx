import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../api/client';
import { isStatus } from '../api/errors';
import { FormError, PasswordField } from '../forms/Input';
import { findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import type { Errors } from '../forms/schema';
import { Dialog } from '../ui/Dialog';
import { toast } from '../ui/toasts';
import { LEAST_PASSWORD } from './model';

const POINTERS = ['current_password', 'new_password'];

/** Gives the one who is signed in another password. Their other sessions end; this one goes on. */
export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [missing, setMissing] = useState<Errors>({});
  const saving = useMutation({
    mutationFn: () =>
      bodyOf(api.POST('/api/me/password', { body: { current_password: current, new_password: next } })),
    onSuccess: () => {
      toast('Your password was changed. All other sessions have ended.');
      onClose();
    },
    onError: () => focusFirstError(form.current),
  });
  const found = saving.isError ? findingsOf(saving.error, POINTERS) : NO_FINDINGS;
  const isWrong = isStatus(saving.error, 403);
  const errors: Errors = {
    ...(isWrong && { current_password: found.form ?? '' }),
    ...found.fields,
    ...missing,
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong: Errors = {
      ...(current === '' && { current_password: 'The password you have is needed.' }),
      ...(next.length < LEAST_PASSWORD && { new_password: `At least ${LEAST_PASSWORD} characters.` }),
    };
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) focusFirstError(form.current);
    else saving.mutate();
  };
  return (
    <Dialog title="Change your password" onClose={onClose}>
      <form ref={form} noValidate className="space-y-5" onSubmit={submit}>
        <PasswordField
          label="Current password"
          autoComplete="current-password"
          error={errors.current_password}
          value={current}
          onChange={setCurrent}
        />
        <PasswordField
          label="New password"
          autoComplete="new-password"
          hint={`At least ${LEAST_PASSWORD} characters.`}
          error={errors.new_password}
          value={next}
          onChange={setNext}
        />
        <FormError>{isWrong ? null : found.form}</FormError>
        <div className="flex justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn btn-primary" disabled={saving.isPending}>
            {saving.isPending ? 'Saving…' : 'Change password'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
