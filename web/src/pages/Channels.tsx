import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Pencil, Plus, Send, Trash2, Webhook } from 'lucide-react';
import { useState } from 'react';
import { api, bodyOf } from '../api/client';
import { explain } from '../api/errors';
import { channelsQuery, keys } from '../api/queries';
import type { Channel, TestResult } from '../api/types';
import { ChannelDialog } from '../channels/ChannelDialog';
import { destination, putChannel } from '../channels/model';
import { plural } from '../format/words';
import { useMay } from '../session';
import { Confirm } from '../ui/Dialog';
import { NeedsRole } from '../ui/NeedsRole';
import { Empty, Failure, Head, Skeleton } from '../ui/parts';
import { Switch } from '../ui/Switch';
import { toast } from '../ui/toasts';

export function ChannelsPage() {
  const isAdmin = useMay('admin');
  const channels = useQuery({ ...channelsQuery, enabled: isAdmin });
  const [editing, setEditing] = useState<Channel | 'new' | null>(null);
  const add = (
    <button type="button" className="btn btn-primary" onClick={() => setEditing('new')}>
      <Plus aria-hidden className="size-4" />
      Add channel
    </button>
  );
  if (!isAdmin) return <NeedsRole needed="admin" alone />;
  return (
    <>
      <Head title="Channels" sub={channels.data ? plural(channels.data.length, 'channel') : ' '}>
        {channels.data !== undefined && channels.data.length > 0 && add}
      </Head>
      <div className="max-w-3xl px-4 pb-8 md:px-6">
        {channels.data ? (
          channels.data.length > 0 ? (
            <ul className="space-y-3">
              {channels.data.map((channel) => (
                <ChannelCard key={channel.id} channel={channel} onEdit={() => setEditing(channel)} />
              ))}
            </ul>
          ) : (
            <Empty icon={Send} title="No channels yet" action={add}>
              A channel carries alerts to people and programs. The rules of a source name the channels they
              use.
            </Empty>
          )
        ) : channels.isError ? (
          <Failure error={channels.error} onRetry={() => void channels.refetch()} />
        ) : (
          <Skeleton rows={3} className="h-24 rounded-xl" />
        )}
      </div>
      {editing !== null && (
        <ChannelDialog {...(editing !== 'new' && { channel: editing })} onClose={() => setEditing(null)} />
      )}
    </>
  );
}

function ChannelCard({ channel, onEdit }: { channel: Channel; onEdit: () => void }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const again = () => queryClient.invalidateQueries({ queryKey: keys.channels });
  const failed = (error: unknown) => toast(explain(error), 'bad');
  const params = { path: { channel_id: channel.id } };
  const test = useMutation({
    mutationFn: () => bodyOf(api.POST('/api/admin/channels/{channel_id}/test', { params })),
    onSettled: again,
  });
  const toggle = useMutation({
    mutationFn: (enabled: boolean) => {
      const { name, kind, config } = channel;
      return putChannel(channel, { name, kind, config: config, enabled });
    },
    onError: failed,
    onSettled: again,
  });
  const remove = useMutation({
    mutationFn: () =>
      api.DELETE('/api/admin/channels/{channel_id}', {
        params: { ...params, header: { 'if-match': `"${channel.version}"` } },
      }),
    onError: failed,
    onSuccess: () => toast(`${channel.name} was deleted.`),
    onSettled: again,
  });
  return (
    <li className="card p-4">
      <div className="flex items-center gap-3">
        <Webhook aria-hidden className="size-5 shrink-0 text-dim" strokeWidth={1.75} />
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-sm font-medium">{channel.name}</h2>
          <p className="truncate text-xs text-dim">{destination(channel)}</p>
        </div>
        <Switch
          label={`${channel.name} is switched on`}
          checked={channel.enabled}
          disabled={toggle.isPending}
          onChange={(enabled) => toggle.mutate(enabled)}
        />
      </div>
      <div className="mt-3 flex flex-wrap items-center gap-2">
        <button type="button" className="btn" disabled={test.isPending} onClick={() => test.mutate()}>
          <Send aria-hidden className="size-4" />
          {test.isPending ? 'Sending…' : 'Send a test'}
        </button>
        <button type="button" className="btn" onClick={onEdit}>
          <Pencil aria-hidden className="size-4" />
          Edit
        </button>
        <button
          type="button"
          className="btn btn-icon btn-quiet"
          aria-label={`Delete ${channel.name}`}
          onClick={() => setAsking(true)}
        >
          <Trash2 aria-hidden className="size-4" />
        </button>
      </div>
      {channel.last_result !== null && !test.isSuccess && (
        <p className="mt-3 text-xs break-words text-dim">Last message: {channel.last_result}</p>
      )}
      <div role="status" className="text-sm">
        {test.isSuccess && <TestOutcome result={test.data} />}
        {test.isError && (
          <p className="mt-3 text-danger">The test could not be sent: {explain(test.error)}</p>
        )}
      </div>
      {asking && (
        <Confirm
          title={`Delete ${channel.name}?`}
          action="Delete channel"
          busy={remove.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate(undefined, { onSettled: () => setAsking(false) })}
        >
          Rules that name it no longer tell anybody through it.
        </Confirm>
      )}
    </li>
  );
}

function TestOutcome({ result }: { result: TestResult }) {
  return result.error === null ? (
    <p className="mt-3 text-ok">The test arrived: the receiver took it.</p>
  ) : (
    <p className="mt-3 text-danger">The test did not arrive: {result.error}</p>
  );
}
