import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Archive, Download, Trash2 } from 'lucide-react';
import { useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../api/client';
import { explain } from '../api/errors';
import { CheckField, FormError, PasswordField } from '../forms/Input';
import { findingsOf, NO_FINDINGS } from '../forms/problems';
import { inFuture } from '../format/time';
import { JobItem } from '../jobs/JobItem';
import { jobKeys, jobsQuery } from '../jobs/queries';
import { isUnderWay } from '../jobs/words';
import { Ago, Section } from '../ui/parts';
import { toast } from '../ui/toasts';
import { useNow } from '../ui/useNow';
import { fileOf, holdsInWords, type BackupFile } from './model';

const RECENT = 10;

/** Makes backups, and hands out those that were made within the day; for admins. */
export function BackupSection() {
  const jobs = useInfiniteQuery(jobsQuery({ kind: 'backup' }, RECENT)).data?.pages[0]?.items ?? [];
  const now = useNow();
  const files = jobs.flatMap((job) => fileOf(job, now) ?? []);
  const [newest] = jobs;
  return (
    <Section title="Backup">
      <div className="space-y-4 p-4 text-sm">
        <p className="text-dim">
          A file with the whole database: sources, rules, accounts, events and alerts.{' '}
          <code>glimpser restore</code> reads it again.
        </p>
        <BackupForm isBusy={newest !== undefined && isUnderWay(newest)} />
      </div>
      {newest && (isUnderWay(newest) || newest.status !== 'success') && (
        <ul className="border-t border-line">
          <JobItem job={newest} source={undefined} />
        </ul>
      )}
      {files.length > 0 && (
        <ul className="border-t border-line">
          {files.map((file) => (
            <BackupRow key={file.artifactId} file={file} now={now} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function BackupForm({ isBusy }: { isBusy: boolean }) {
  const queryClient = useQueryClient();
  const [withArtifacts, setWithArtifacts] = useState(false);
  const [passphrase, setPassphrase] = useState('');
  const make = useMutation({
    mutationFn: () => {
      const body = { with_artifacts: withArtifacts, ...(passphrase !== '' && { passphrase }) };
      return bodyOf(api.POST('/api/admin/backup', { body }));
    },
    onSuccess: () => {
      setPassphrase('');
      toast('The backup is being made.');
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobKeys.all }),
  });
  const found = make.isError ? findingsOf(make.error, ['passphrase']) : NO_FINDINGS;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form noValidate className="space-y-4" onSubmit={submit}>
      <CheckField
        label="With the stored pictures"
        hint="They may be many."
        checked={withArtifacts}
        onChange={setWithArtifacts}
      />
      <div className="max-w-sm">
        <PasswordField
          label="Passphrase"
          optional
          hint="Seals the passwords of sources and channels. Without one they are left out."
          autoComplete="new-password"
          error={found.fields.passphrase}
          value={passphrase}
          onChange={(typed) => {
            setPassphrase(typed);
            make.reset();
          }}
        />
      </div>
      <FormError>{found.form}</FormError>
      <button type="submit" className="btn btn-primary" disabled={isBusy || make.isPending}>
        <Archive aria-hidden className="size-4" />
        {isBusy ? 'Being made…' : 'Make a backup'}
      </button>
    </form>
  );
}

function BackupRow({ file, now }: { file: BackupFile; now: number }) {
  const queryClient = useQueryClient();
  const [isGone, setGone] = useState(false);
  const address = `/api/admin/backup/${file.artifactId}`;
  const remove = useMutation({
    mutationFn: () => {
      const params = { path: { artifact_id: file.artifactId } };
      return api.DELETE('/api/admin/backup/{artifact_id}', { params });
    },
    onSuccess: () => setGone(true),
    onError: (error) => toast(explain(error), 'bad'),
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobKeys.all }),
  });
  if (isGone) return null;
  return (
    <li className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-3 text-sm last:border-0">
      <div className="mr-auto min-w-0">
        <p className="num font-medium">
          Backup, <Ago at={file.madeAt} />
        </p>
        <p className="num text-xs text-dim">
          {holdsInWords(file)}; deleted {inFuture(file.expiresAt, now)}
        </p>
      </div>
      <a href={address} download className="btn">
        <Download aria-hidden className="size-4" />
        Download
      </a>
      <button
        type="button"
        className="btn btn-icon"
        aria-label="Delete this backup"
        disabled={remove.isPending}
        onClick={() => remove.mutate()}
      >
        <Trash2 aria-hidden className="size-4" />
      </button>
    </li>
  );
}
