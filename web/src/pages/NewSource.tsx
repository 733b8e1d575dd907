import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { keys, kindsQuery } from '../api/queries';
import type { Template } from '../api/types';
import { useMay } from '../session';
import { createSource } from '../sources/mutations';
import type { Start } from '../sources/model';
import { ProbePanel } from '../sources/ProbePanel';
import { SourceForm } from '../sources/SourceForm';
import { Failure, Head, Skeleton } from '../ui/parts';
import { toast } from '../ui/toasts';
import { NeedsRole } from '../ui/NeedsRole';

export function NewSourcePage() {
  const isAdmin = useMay('admin');
  const kinds = useQuery(kindsQuery);
  const [taken, setTaken] = useState<Start>();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const saved = (template: Template) => {
    queryClient.setQueryData(keys.template(template.id), template);
    void queryClient.invalidateQueries({ queryKey: keys.templates, exact: true, refetchType: 'all' });
    toast(`${template.name} was added.`);
    void navigate({ to: '/sources/$sourceId', params: { sourceId: template.id } });
  };
  return (
    <>
      <Head title="Add a source" />
      {!isAdmin ? (
        <NeedsRole needed="admin" />
      ) : kinds.data ? (
        <>
          <ProbePanel kinds={kinds.data} onTake={(kind, config) => setTaken({ kind, config })} />
          <SourceForm
            key={JSON.stringify(taken)}
            kinds={kinds.data}
            start={taken}
            save={createSource}
            onSaved={saved}
            cancel={
              <Link to="/sources" className="btn btn-quiet">
                Cancel
              </Link>
            }
          />
        </>
      ) : kinds.isError ? (
        <Failure error={kinds.error} onRetry={() => void kinds.refetch()} />
      ) : (
        <div className="max-w-[560px] px-4 md:px-6">
          <Skeleton rows={4} className="h-[74px] rounded-xl" />
        </div>
      )}
    </>
  );
}
