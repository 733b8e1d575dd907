import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { KeyDialog } from '../accounts/KeyDialog';
import { expiryInWords, groupsInWords, ROLE_NAMES } from '../accounts/model';
import { accountKeys, apiKeysQuery } from '../accounts/queries';
import { api } from '../api/client';
import { explain } from '../api/errors';
import type { ApiKey } from '../api/types';
import { plural } from '../format/words';
import { useMay } from '../session';
import { Confirm } from '../ui/Dialog';
import { NeedsRole } from '../ui/NeedsRole';
import { Ago, Empty, Failure, Head, Skeleton } from '../ui/parts';
import { SettingsLink } from '../ui/SettingsLink';
import { Cell, Column, Row, Table } from '../ui/Table';
import { toast } from '../ui/toasts';
import { useNow } from '../ui/useNow';

export function ApiKeysPage() {
  const isAdmin = useMay('admin');
  const keys = useQuery({ ...apiKeysQuery, enabled: isAdmin });
  const [making, setMaking] = useState(false);
  const make = (
    <button type="button" className="btn btn-primary" onClick={() => setMaking(true)}>
      <Plus aria-hidden className="size-4" />
      Make key
    </button>
  );
  if (!isAdmin) return <NeedsRole needed="admin" alone />;
  return (
    <>
      <SettingsLink />
      <Head title="API keys" sub={keys.data ? plural(keys.data.length, 'key') : ' '}>
        {keys.data !== undefined && keys.data.length > 0 && make}
      </Head>
      <div className="max-w-5xl px-4 pb-8 md:px-6">
        {keys.data ? (
          keys.data.length > 0 ? (
            <KeyTable keys={keys.data} />
          ) : (
            <Empty icon={KeyRound} title="No API keys" action={make}>
              A key lets a program in, such as a home automation, with a role and an end of its own.
            </Empty>
          )
        ) : keys.isError ? (
          <Failure error={keys.error} onRetry={() => void keys.refetch()} />
        ) : (
          <Skeleton rows={3} className="h-14 rounded-lg" />
        )}
      </div>
      {making && <KeyDialog onClose={() => setMaking(false)} />}
    </>
  );
}

function KeyTable({ keys }: { keys: readonly ApiKey[] }) {
  return (
    <Table
      head={
        <>
          <Column>Key</Column>
          <Column>Role</Column>
          <Column>Sees</Column>
          <Column>Last used</Column>
          <Column>Valid</Column>
          <Column hidden>Revoke</Column>
        </>
      }
    >
      {keys.map((key) => (
        <KeyRow key={key.id} apiKey={key} />
      ))}
    </Table>
  );
}

function KeyRow({ apiKey }: { apiKey: ApiKey }) {
  const expiry = expiryInWords(apiKey, useNow());
  return (
    <Row>
      <Cell main>
        <span className="block truncate font-medium">{apiKey.name}</span>
        <span className="block truncate text-xs text-dim">
          by {apiKey.created_by}, <Ago at={apiKey.created_at} className="num" />
        </span>
      </Cell>
      <Cell>{ROLE_NAMES[apiKey.role]}</Cell>
      <Cell>{groupsInWords(apiKey.groups)}</Cell>
      <Cell label="Last used">
        {apiKey.last_used_at === null ? 'Never' : <Ago at={apiKey.last_used_at} className="num" />}
      </Cell>
      <Cell>
        <span className={`num ${expiry.tone === 'bad' ? 'text-danger' : ''}`}>{expiry.label}</span>
      </Cell>
      <Cell action>
        <RevokeButton apiKey={apiKey} />
      </Cell>
    </Row>
  );
}

function RevokeButton({ apiKey: { id, name } }: { apiKey: ApiKey }) {
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => api.DELETE('/api/admin/api-keys/{key_id}', { params: { path: { key_id: id } } }),
    onSuccess: () => toast(`${name} was revoked.`),
    onError: (error) => toast(explain(error), 'bad'),
    onSettled: () => queryClient.invalidateQueries({ queryKey: accountKeys.apiKeys }),
  });
  return (
    <>
      <button
        type="button"
        className="btn btn-icon btn-quiet"
        aria-label={`Revoke ${name}`}
        onClick={() => setAsking(true)}
      >
        <Trash2 aria-hidden className="size-4" />
      </button>
      {asking && (
        <Confirm
          title={`Revoke ${name}?`}
          action="Revoke key"
          busy={revoke.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => revoke.mutate(undefined, { onSettled: () => setAsking(false) })}
        >
          Programs that use it are refused from now on; streams they have open end within seconds.
        </Confirm>
      )}
    </>
  );
}
