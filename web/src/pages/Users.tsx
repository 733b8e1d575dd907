import { useQuery } from '@tanstack/react-query';
import { Pencil, Plus } from 'lucide-react';
import { useState } from 'react';
import { AccountDialog } from '../accounts/AccountDialog';
import { accountState, groupsInWords, ROLE_NAMES } from '../accounts/model';
import { accountsQuery } from '../accounts/queries';
import { meQuery } from '../api/queries';
import type { Account } from '../api/types';
import { plural } from '../format/words';
import { useMay } from '../session';
import { NeedsRole } from '../ui/NeedsRole';
import { Ago, Failure, Head, Skeleton, State } from '../ui/parts';
import { SettingsLink } from '../ui/SettingsLink';
import { Cell, Column, Row, Table } from '../ui/Table';

export function UsersPage() {
  const isAdmin = useMay('admin');
  const me = useQuery(meQuery).data;
  const accounts = useQuery({ ...accountsQuery, enabled: isAdmin });
  const [editing, setEditing] = useState<Account | 'new' | null>(null);
  if (!isAdmin) return <NeedsRole needed="admin" alone />;
  return (
    <>
      <SettingsLink />
      <Head title="Users" sub={accounts.data ? plural(accounts.data.length, 'user') : ' '}>
        <button type="button" className="btn btn-primary" onClick={() => setEditing('new')}>
          <Plus aria-hidden className="size-4" />
          Add user
        </button>
      </Head>
      <div className="max-w-5xl px-4 pb-8 md:px-6">
        {accounts.data ? (
          <Table
            head={
              <>
                <Column>User</Column>
                <Column>Role</Column>
                <Column>Sees</Column>
                <Column>Added</Column>
                <Column hidden>Change</Column>
              </>
            }
          >
            {accounts.data.map((account) => (
              <AccountRow
                key={account.id}
                account={account}
                isSelf={account.id === me?.id}
                onEdit={() => setEditing(account)}
              />
            ))}
          </Table>
        ) : accounts.isError ? (
          <Failure error={accounts.error} onRetry={() => void accounts.refetch()} />
        ) : (
          <Skeleton rows={3} className="h-14 rounded-lg" />
        )}
      </div>
      {editing !== null && (
        <AccountDialog
          {...(editing !== 'new' && { account: editing })}
          isSelf={editing !== 'new' && editing.id === me?.id}
          onClose={() => setEditing(null)}
        />
      )}
    </>
  );
}

interface RowProps {
  account: Account;
  isSelf: boolean;
  onEdit: () => void;
}

function AccountRow({ account, isSelf, onEdit }: RowProps) {
  return (
    <Row>
      <Cell main>
        <span className="block truncate font-medium">
          {account.email}
          {isSelf && <span className="ml-2 font-normal text-dim">you</span>}
        </span>
        <span className="block text-xs text-dim">
          <State {...accountState(account)} />
        </span>
      </Cell>
      <Cell>{ROLE_NAMES[account.role]}</Cell>
      <Cell>{groupsInWords(account.groups)}</Cell>
      <Cell label="Added">
        <Ago at={account.created_at} className="num" />
      </Cell>
      <Cell action>
        <button
          type="button"
          className="btn btn-icon btn-quiet"
          aria-label={`Edit ${account.email}`}
          onClick={onEdit}
        >
          <Pencil aria-hidden className="size-4" />
        </button>
      </Cell>
    </Row>
  );
}
