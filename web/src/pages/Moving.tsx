import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Download, FileInput } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import { explain } from '../api/errors';
import { keys } from '../api/queries';
import { FormError } from '../forms/Input';
import { plural } from '../format/words';
import {
  ACTIONS,
  inOrder,
  remarksOf,
  sendFile,
  summaryOf,
  toBeWritten,
  type Imported,
  type ImportReport,
} from '../moving/report';
import { useMay } from '../session';
import { NeedsRole } from '../ui/NeedsRole';
import { Head, Section, State } from '../ui/parts';
import { SettingsLink } from '../ui/SettingsLink';

/** Files may hold thousands; what needs a look comes first. */
const SHOWN = 200;

/** Sources as a file, out and in. */
export function MovingPage() {
  const isAdmin = useMay('admin');
  if (!isAdmin) return <NeedsRole needed="admin" alone />;
  return (
    <>
      <SettingsLink />
      <Head title="Import and export" />
      <div className="max-w-3xl space-y-6 px-4 pb-10 md:px-6">
        <Section title="Export">
          <div className="flex flex-wrap items-center gap-4 p-4 text-sm">
            <p className="min-w-60 flex-1 text-dim">
              All sources as a YAML file, which Glimpser reads again here or elsewhere. Passwords are left
              out, and named.
            </p>
            <a href="/api/templates/export" download="glimpser-sources.yaml" className="btn">
              <Download aria-hidden className="size-4" />
              Download
            </a>
          </div>
        </Section>
        <Import />
      </div>
    </>
  );
}

function Import() {
  const queryClient = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const look = useMutation({ mutationFn: (chosen: File) => sendFile(chosen, false) });
  const apply = useMutation({
    mutationFn: (chosen: File) => sendFile(chosen, true),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.templates }),
  });
  const choose = (chosen: File | undefined) => {
    if (!chosen) return;
    setFile(chosen);
    apply.reset();
    look.mutate(chosen);
  };
  const failure = apply.error ?? look.error;
  const report = apply.data ?? look.data;
  return (
    <Section title="Import">
      <div className="space-y-4 p-4 text-sm">
        <p className="text-dim">
          A file of an export, streams of glimpser-rs (JSON or YAML), or the <code>glimpser.db</code> of an
          original Glimpser. First you see what would change.
        </p>
        <FileButton name={file?.name} isBusy={look.isPending} onChoose={choose} />
        {failure !== null && <FormError>{explain(failure)}</FormError>}
        <div aria-live="polite">
          {report && failure === null && (
            <Report report={report}>
              {file && report.dry_run && toBeWritten(report.items) > 0 && (
                <button
                  type="button"
                  className="btn btn-primary"
                  disabled={apply.isPending}
                  onClick={() => apply.mutate(file)}
                >
                  {apply.isPending ? 'Importing…' : `Import ${plural(toBeWritten(report.items), 'source')}`}
                </button>
              )}
              {!report.dry_run && (
                <Link to="/sources" className="btn btn-primary">
                  Show the sources
                </Link>
              )}
            </Report>
          )}
        </div>
      </div>
    </Section>
  );
}

interface FileProps {
  name: string | undefined;
  isBusy: boolean;
  onChoose: (file: File | undefined) => void;
}

/** The same file can be chosen again after it was changed. */
function FileButton({ name, isBusy, onChoose }: FileProps) {
  const id = useId();
  return (
    <div className="flex flex-wrap items-center gap-3">
      <input
        id={id}
        type="file"
        className="peer sr-only"
        accept=".yaml,.yml,.json,.db,.sqlite,.sqlite3"
        disabled={isBusy}
        onChange={({ target }) => {
          onChoose(target.files?.[0]);
          target.value = '';
        }}
      />
      <label
        htmlFor={id}
        className="btn cursor-pointer peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent"
      >
        <FileInput aria-hidden className="size-4" />
        {isBusy ? 'Reading…' : name === undefined ? 'Choose a file' : 'Choose another file'}
      </label>
      {name !== undefined && <span className="min-w-0 truncate text-dim">{name}</span>}
    </div>
  );
}

function Report({ report, children }: { report: ImportReport; children: ReactNode }) {
  return (
    <div className="rounded-xl border border-line">
      <div className="flex flex-wrap items-center gap-3 border-b border-line p-3">
        <p className="mr-auto">
          <span className="block font-medium">
            {report.dry_run ? 'Nothing was changed yet' : 'The import is done'}
          </span>
          <span className="num block text-dim">{summaryOf(report.items)}</span>
        </p>
        {children}
      </div>
      <ul aria-label="What becomes of each source">
        {inOrder(report.items)
          .slice(0, SHOWN)
          .map((item, index) => (
            <Item key={index} item={item} />
          ))}
      </ul>
      {report.items.length > SHOWN && (
        <p className="num border-t border-line px-3 py-2.5 text-dim">
          and {(report.items.length - SHOWN).toLocaleString('en')} more
        </p>
      )}
    </div>
  );
}

function Item({ item }: { item: Imported }) {
  const remarks = remarksOf(item);
  return (
    <li className="border-b border-line px-3 py-2.5 last:border-0">
      <p className="flex items-center justify-between gap-3">
        <span className="min-w-0 truncate font-medium">
          {item.name === '' ? 'Without a name' : item.name}
        </span>
        <span className="shrink-0 text-xs">
          <State {...ACTIONS[item.action]} />
        </span>
      </p>
      {remarks.length > 0 && (
        <ul className="mt-1 space-y-0.5 text-xs">
          {remarks.map(({ text, bad }) => (
            <li key={text} className={`break-words ${bad ? 'text-danger' : 'text-dim'}`}>
              {text}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
