import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type SubmitEvent } from 'react';
import { isStatus } from '../api/errors';
import { channelKindsQuery, keys } from '../api/queries';
import type { Channel, Kind } from '../api/types';
import { FormError, SelectField, TextField } from '../forms/Input';
import { below, findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import { fieldsOf, type Errors } from '../forms/schema';
import { SchemaForm } from '../forms/SchemaForm';
import { Dialog } from '../ui/Dialog';
import { Failure, Skeleton } from '../ui/parts';
import { toast } from '../ui/toasts';
import { channelBody, channelValues, checkChannel, postChannel, putChannel } from './model';

const CHANGED = 'Somebody else has changed this channel. Close this, look, and try again.';

interface Props {
  channel?: Channel;
  onClose: () => void;
}

export function ChannelDialog({ channel, onClose }: Props) {
  const kinds = useQuery(channelKindsQuery);
  const [chosen, setChosen] = useState(channel?.kind);
  const kind = kinds.data?.find((one) => one.kind === chosen) ?? kinds.data?.[0];
  return (
    <Dialog title={channel ? `Edit ${channel.name}` : 'Add a channel'} onClose={onClose}>
      {kinds.isError && <Failure error={kinds.error} onRetry={() => void kinds.refetch()} />}
      {!channel && kinds.data !== undefined && kinds.data.length > 1 && kind && (
        <div className="mb-5">
          <SelectField
            label="Kind"
            value={kind.kind}
            options={kinds.data.map((one) => ({ value: one.kind, label: one.title }))}
            onChange={setChosen}
          />
        </div>
      )}
      {kind ? (
        <ChannelForm key={kind.kind} kind={kind} {...(channel && { channel })} onClose={onClose} />
      ) : (
        kinds.isPending && <Skeleton rows={3} className="h-14 rounded-lg" />
      )}
    </Dialog>
  );
}

function ChannelForm({ kind, channel, onClose }: Props & { kind: Kind }) {
  const form = useRef<HTMLFormElement>(null);
  const queryClient = useQueryClient();
  const [values, setValues] = useState(() => channelValues(kind, channel));
  const [missing, setMissing] = useState<Errors>({});
  const fields = fieldsOf(kind.schema);
  const saving = useMutation({
    mutationFn: () => {
      const body = channelBody(values, kind, channel?.enabled ?? true);
      return channel ? putChannel(channel, body) : postChannel(body);
    },
    onSuccess: () => {
      toast(channel ? 'Changes saved.' : 'Channel added. Send a test to see whether it works.');
      onClose();
    },
    onError: () => focusFirstError(form.current),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.channels }),
  });
  const pointers = ['name', ...fields.map(({ name }) => `config/${name}`)];
  const found = saving.isError ? findingsOf(saving.error, pointers) : NO_FINDINGS;
  const errors = { ...found.fields, ...missing };
  const set = (change: Partial<typeof values>) => {
    setValues({ ...values, ...change });
    setMissing({});
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wrong = checkChannel(values, fields);
    setMissing(wrong);
    if (Object.keys(wrong).length > 0) focusFirstError(form.current);
    else saving.mutate();
  };
  return (
    <form ref={form} noValidate className="space-y-5" onSubmit={submit}>
      <TextField
        label="Name"
        required
        placeholder="Phone"
        maxLength={100}
        error={errors.name}
        value={values.name}
        onChange={(name) => set({ name })}
      />
      <SchemaForm
        fields={fields}
        values={values.config}
        errors={below('config', errors)}
        stored={channel ? fields.filter(({ secret }) => secret).map(({ name }) => name) : []}
        onChange={(config) => set({ config })}
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
  );
}
