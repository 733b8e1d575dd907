import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Cctv, Plus } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { templatesQuery } from '../api/queries';
import type { Template } from '../api/types';
import { plural, rate, STREAM_STATES, troubleOf, type StateWords } from '../format/words';
import { useMay } from '../session';
import { usePatchSource } from '../sources/mutations';
import { Switch } from '../ui/Switch';
import { SourceIcon } from '../ui/kinds';
import { Ago, Empty, Failure, Head, Skeleton, State } from '../ui/parts';

export function SourcesPage() {
  const templates = useQuery(templatesQuery);
  const isAdmin = useMay('admin');
  const add = isAdmin && (
    <Link to="/sources/new" className="btn btn-primary">
      <Plus aria-hidden className="size-4" />
      Add source
    </Link>
  );
  return (
    <>
      <Head title="Sources" sub={templates.data ? plural(templates.data.length, 'source') : ' '}>
        {templates.data?.length !== 0 && add}
      </Head>
      <div className="px-4 pb-8 md:px-6">
        {templates.data ? (
          templates.data.length > 0 ? (
            <SourceTable templates={templates.data} isAdmin={isAdmin} />
          ) : (
            <Empty icon={Cctv} title="No sources yet" action={add}>
              A source is something Glimpser watches, such as a camera or a video file.
            </Empty>
          )
        ) : templates.isError ? (
          <Failure error={templates.error} onRetry={() => void templates.refetch()} />
        ) : (
          <Skeleton rows={5} className="h-[76px] rounded-lg" />
        )}
      </div>
    </>
  );
}

interface TableProps {
  templates: readonly Template[];
  isAdmin: boolean;
}

function SourceTable({ templates, isAdmin }: TableProps) {
  return (
    <div className="card overflow-hidden">
      <table className="w-full text-left text-sm">
        <thead className="text-xs text-dim max-md:sr-only">
          <tr className="border-b border-line">
            <Column>Source</Column>
            <Column>State</Column>
            <Column className="max-lg:hidden">Since</Column>
            <Column className="max-lg:hidden">Last picture</Column>
            <Column className="max-lg:hidden">Picture</Column>
            <Column className="text-right">{isAdmin ? 'On' : <span className="sr-only">On</span>}</Column>
          </tr>
        </thead>
        <tbody>
          {templates.map((template) => (
            <SourceRow key={template.id} template={template} isAdmin={isAdmin} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Column({ children, className = '' }: { children: ReactNode; className?: string }) {
  return (
    <th scope="col" className={`h-10 px-4 font-medium whitespace-nowrap ${className}`}>
      {children}
    </th>
  );
}

function SourceRow({ template, isAdmin }: { template: Template; isAdmin: boolean }) {
  const { id, name, groups, stream, enabled } = template;
  const state = sourceState(template);
  const reason = sourceReason(template);
  return (
    <tr className="relative border-b border-line last:border-0 hover:bg-raised max-md:grid max-md:grid-cols-[minmax(0,1fr)_auto]">
      <td className="px-4 py-2.5">
        <div className="flex items-center gap-3">
          <Thumbnail template={template} />
          <div className="min-w-0">
            <Link
              to="/sources/$sourceId"
              params={{ sourceId: id }}
              className="block truncate rounded font-medium after:absolute after:inset-0"
            >
              {name}
            </Link>
            {groups.length > 0 && <p className="truncate text-xs text-dim">{groups.join(', ')}</p>}
            <p className="text-xs text-dim md:hidden">
              <State {...state} />
              {reason !== null && <span className="line-clamp-2">{reason}</span>}
            </p>
            <p className="num text-xs text-dim lg:hidden">
              <LastPicture template={template} label="Last picture " />
            </p>
          </div>
        </div>
      </td>
      <td className="px-4 py-2.5 max-md:hidden">
        <State {...state} />
        {reason !== null && <p className="mt-0.5 line-clamp-2 max-w-md text-xs text-dim">{reason}</p>}
      </td>
      <td className="num px-4 whitespace-nowrap text-dim max-lg:hidden">
        {enabled && <Ago at={troubleOf(template) ? template.health.since : stream.since} />}
      </td>
      <td className="num px-4 whitespace-nowrap text-dim max-lg:hidden">
        <LastPicture template={template} />
      </td>
      <td className="num px-4 whitespace-nowrap text-dim max-lg:hidden">{pictureFacts(template)}</td>
      <td className="px-4 text-right max-md:self-center">
        {isAdmin && <EnableSwitch template={template} />}
      </td>
    </tr>
  );
}

export function EnableSwitch({ template }: { template: Template }) {
  const patch = usePatchSource(template);
  return (
    <Switch
      label={`${template.name} is switched on`}
      checked={patch.isPending ? !template.enabled : template.enabled}
      disabled={patch.isPending}
      onChange={(enabled) => patch.mutate({ enabled })}
    />
  );
}

/** How old the newest good picture is; nothing of a source that never had one. */
export function LastPicture({ template, label = '' }: { template: Template; label?: string }) {
  const at = template.health.last_good_at;
  if (at === null) return null;
  return (
    <>
      {label}
      <Ago at={at} />
    </>
  );
}

/** The picture of now, or the last good one in grey: an old picture never passes for a new one. */
function Thumbnail({ template }: { template: Template }) {
  const [failed, setFailed] = useState(false);
  const place = 'media h-14 w-[100px] shrink-0 rounded';
  const { last_good_artifact_id: lastGood } = template.health;
  const isLive = template.enabled && STREAM_STATES[template.stream.state].tone === 'ok';
  if (!isLive && lastGood !== null && !failed) {
    return (
      <img
        src={`/api/artifacts/${lastGood}?w=320`}
        alt=""
        loading="lazy"
        width={100}
        height={56}
        className={`${place} object-cover opacity-50 grayscale`}
        onError={() => setFailed(true)}
      />
    );
  }
  if (failed || !isLive) {
    return (
      <span className={`${place} grid place-items-center`}>
        <SourceIcon kind={template.kind} className="size-5 text-white/50" />
      </span>
    );
  }
  return (
    <img
      src={`/api/stream/${template.id}/snapshot?w=320`}
      alt=""
      loading="lazy"
      width={100}
      height={56}
      className={`${place} object-cover`}
      onError={() => setFailed(true)}
    />
  );
}

export function sourceState(template: Template): StateWords {
  const { enabled, stream } = template;
  if (!enabled) return { label: 'Switched off', tone: 'off' };
  const trouble = troubleOf(template);
  return trouble ? { label: trouble.label, tone: 'bad' } : STREAM_STATES[stream.state];
}

/** Why a source is not as it should be, in words for people. */
export function sourceReason(template: Template): string | null {
  if (!template.enabled) return null;
  return troubleOf(template)?.reason ?? template.stream.reason;
}

export function pictureFacts({ stream, enabled }: Template): string {
  if (!enabled || stream.width === null || stream.height === null) return '';
  const size = `${stream.width} × ${stream.height}`;
  return stream.fps === null || stream.fps === 0 ? size : `${size}, ${rate(stream.fps)}`;
}
