import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { isStatus } from '../api/errors';
import { keys, kindsQuery, templateQuery } from '../api/queries';
import type { Kind, Template, TemplateForm } from '../api/types';
import { useMay } from '../session';
import { replaceSource } from '../sources/mutations';
import { SourceForm } from '../sources/SourceForm';
import { NeedsRole } from '../ui/NeedsRole';
import { Failure, Head, Skeleton } from '../ui/parts';
import { toast } from '../ui/toasts';
import { NotFoundPage } from './NotFound';

const route = getRouteApi('/shell/sources/$sourceId/edit');

export function EditSourcePage() {
  const { sourceId } = route.useParams();
  const isAdmin = useMay('admin');
  const kinds = useQuery(kindsQuery);
  const template = useQuery(templateQuery(sourceId));
  if (!isAdmin) return <NeedsRole needed="admin" alone />;
  if (isStatus(template.error, 404, 422)) return <NotFoundPage />;
  const failed = kinds.error ?? template.error;
  if (kinds.data && template.data) return <Editor kinds={kinds.data} current={template.data} />;
  if (failed) return <Failure error={failed} onRetry={() => void template.refetch()} />;
  return (
    <>
      <Head title="Edit source" />
      <div className="max-w-[560px] px-4 md:px-6">
        <Skeleton rows={4} className="h-[74px] rounded-xl" />
      </div>
    </>
  );
}

/** Keeps what was read when the form was opened, whatever arrives while somebody types. */
function Editor({ kinds, current }: { kinds: readonly Kind[]; current: Template }) {
  const queryClient = useQueryClient();
  const navigate = route.useNavigate();
  const [template, setTemplate] = useState(current);
  const [base, setBase] = useState(current.version);

  const toSource = (saved: Template) => {
    queryClient.setQueryData(keys.template(saved.id), saved);
    void queryClient.invalidateQueries({ queryKey: keys.templates, exact: true, refetchType: 'all' });
    toast('Changes saved.');
    void navigate({ to: '/sources/$sourceId', params: { sourceId: saved.id } });
  };
  const newest = () => queryClient.query({ ...templateQuery(template.id), staleTime: 0 });
  const takeTheirs = async () => {
    const theirs = await newest();
    setTemplate(theirs);
    setBase(theirs.version);
  };
  const keepMine = async () => setBase((await newest()).version);
  const save = (body: TemplateForm) => replaceSource(template.id, base, body);
  return (
    <>
      <Head title={`Edit ${template.name}`} />
      <SourceForm
        key={template.version}
        kinds={kinds}
        template={template}
        save={save}
        onSaved={toSource}
        conflict={
          <Conflict
            resolved={base !== template.version}
            onTakeTheirs={() => void takeTheirs()}
            onKeepMine={() => void keepMine()}
          />
        }
        cancel={
          <Link to="/sources/$sourceId" params={{ sourceId: template.id }} className="btn btn-quiet">
            Cancel
          </Link>
        }
      />
    </>
  );
}

interface ConflictProps {
  resolved: boolean;
  onTakeTheirs: () => void;
  onKeepMine: () => void;
}

function Conflict({ resolved, onTakeTheirs, onKeepMine }: ConflictProps) {
  return (
    <div role="alert" className="rounded-lg bg-danger-soft p-4 text-sm">
      <p className="font-medium">Somebody else changed this source while you were editing it.</p>
      {resolved ? (
        <p className="mt-1">Your version replaces theirs when you save now.</p>
      ) : (
        <div className="mt-3 flex flex-wrap gap-2">
          <button type="button" className="btn" onClick={onTakeTheirs}>
            Load their version
          </button>
          <button type="button" className="btn" onClick={onKeepMine}>
            Keep mine
          </button>
        </div>
      )}
    </div>
  );
}
