import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type SubmitEvent } from 'react';
import { isStatus } from '../api/errors';
import { keys } from '../api/queries';
import type { Channel } from '../api/types';
import { FormError, PasswordField, TextField } from '../forms/Input';
import { findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import type { Errors } from '../forms/schema';
import { MapField } from '../forms/SchemaForm';
import { Dialog } from '../ui/Dialog';
import { toast } from '../ui/toasts';
import {
  checkWebhook,
  postChannel,
  putChannel,
  webhookForm,
  webhookValues,
  type WebhookValues,
} from './model';

const POINTERS = ['name', 'config/url', 'config/secret', 'config/headers'];
const CHANGED = 'Somebody else has changed this channel. Close this, look, and try again.';

export function ChannelDialog({ channel, onClose }: { channel?: Channel; onClose: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const queryClient = useQueryClient();
  const [values, setValues] = useState(() => webhookValues(channel));
  const [missing, setMissing] = useState<Errors>({});
  const saving = useMutation({
    mutationFn: () => {
      const body = webhookForm(values, channel?.enabled ?? true);
      return channel ? putChannel(channel, body) : postChannel(body);
    },
    onSuccess: () => {
      toast(channel ? 'Changes saved.' : 'Channel added. Send a test to see whether it works.');
      onClose();
    },
    onError: () => focusFirstError(form.current),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.channels }),
  });
  const found = saving.isError ? findingsOf(saving.error, POINTERS) : NO_FINDINGS;
  const errors = { ...found.fields, ...missing };
  const set = (change: Partial<WebhookValues>) => {
    setValues({ ...values, ...change });
    setMissing({});
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = checkWebhook(values);
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) focusFirstError(form.current);
    else saving.mutate();
  };
  return (
    <Dialog title={channel ? `Edit ${channel.name}` : 'Add a webhook'} onClose={onClose}>
      <form ref={form} noValidate className="space-y-5" onSubmit={submit}>
        <TextField
          label="Name"
          required
          placeholder="Phone"
          error={errors.name}
          value={values.name}
          onChange={(name) => set({ name })}
        />
        <TextField
          label="Address"
          type="url"
          required
          placeholder="https://example.org/hooks/glimpser"
          hint="Each alert is sent there as JSON by POST."
          error={errors['config/url']}
          value={values.url}
          onChange={(url) => set({ url })}
        />
        <PasswordField
          label="Secret"
          optional
          autoComplete="new-password"
          placeholder={channel ? 'Unchanged' : ''}
          hint="Signs each request, so that the receiver knows it is real."
          error={errors['config/secret']}
          value={values.secret}
          onChange={(secret) => set({ secret })}
        />
        <MapField
          field={{ label: 'Headers', hint: 'Sent along, one on each line, as Name: value.', required: false }}
          value={values.headers}
          error={errors['config/headers']}
          onChange={(headers) => set({ headers })}
        />
        <FormError>{isStatus(saving.error, 412) ? CHANGED : found.form}</FormError>
        <div className="flex justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="btn btn-primary" disabled={saving.isPending}>
            {saving.isPending ? 'Saving…' : 'Save'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
