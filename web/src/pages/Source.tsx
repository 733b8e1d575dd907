import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Activity, Clapperboard, Pencil, Trash2, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { isStatus } from '../api/errors';
import { eventsQuery, keys, kindsQuery, templateQuery } from '../api/queries';
import type { Template } from '../api/types';
import { CapturesSection } from '../captures/CapturesSection';
import { EventRow } from '../events/EventList';
import { troubleOf } from '../format/words';
import { useLiveMessages } from '../live/live';
import { RulesSection } from '../rules/RulesSection';
import { useMay } from '../session';
import { BigPicture } from '../sources/BigPicture';
import { useRemoveSource } from '../sources/mutations';
import { SENT_KIND } from '../sources/push';
import { PushSection } from '../sources/PushSection';
import { ScheduleSection } from '../sources/ScheduleSection';
import { Confirm } from '../ui/Dialog';
import { Ago, Empty, Failure, Head, Section, Skeleton, State } from '../ui/parts';
import { toast } from '../ui/toasts';
import { Fact } from './EventDetail';
import { NotFoundPage } from './NotFound';
import { EnableSwitch, pictureFacts, sourceState } from './Sources';

const route = getRouteApi('/shell/sources/$sourceId');
const RECENT = 5;

export function SourcePage() {
  const { sourceId } = route.useParams();
  const template = useQuery(templateQuery(sourceId));
  if (isStatus(template.error, 404, 422)) return <NotFoundPage />;
  if (template.data) return <SourceView template={template.data} />;
  if (template.isError) return <Failure error={template.error} onRetry={() => void template.refetch()} />;
  return (
    <div aria-hidden className="px-4 pt-20 md:px-6">
      <div className="shimmer aspect-video max-w-4xl rounded-xl" />
    </div>
  );
}

function FilmLink({ id }: { id: string }) {
  return (
    <Link to="/exports" search={{ source: id }} className="btn">
      <Clapperboard aria-hidden className="size-4" />
      Make a film
    </Link>
  );
}

function SourceView({ template }: { template: Template }) {
  const isAdmin = useMay('admin');
  const isOperator = useMay('operator');
  return (
    <>
      <Head title={template.name} sub={<State {...sourceState(template)} />}>
        {isOperator && <FilmLink id={template.id} />}
        {isAdmin && <Actions template={template} />}
      </Head>
      <div className="grid gap-6 px-4 pb-10 md:px-6 xl:grid-cols-[minmax(0,1fr)_minmax(0,400px)]">
        <div className="space-y-3">
          <Trouble template={template} />
          <BigPicture template={template} />
          <CapturesSection template={template} />
        </div>
        <div className="space-y-6">
          <Facts template={template} />
          {isOperator && template.kind === SENT_KIND && <PushSection template={template} />}
          {isOperator && <ScheduleSection template={template} />}
          <RecentEvents template={template} />
          {isAdmin && <RulesSection template={template} />}
        </div>
      </div>
    </>
  );
}

/** Says what is wrong with a picture that comes. */
function Trouble({ template }: { template: Template }) {
  const trouble = troubleOf(template);
  if (!trouble) return null;
  return (
    <div role="status" className="flex gap-3 rounded-lg bg-danger-soft p-4 text-sm">
      <TriangleAlert aria-hidden className="size-5 shrink-0 text-danger" />
      <div>
        <p className="font-medium">
          {trouble.label}, since <Ago at={template.health.since} className="num" />
        </p>
        {trouble.reason !== null && <p className="mt-0.5">{trouble.reason}</p>}
        {template.health.last_good_at !== null && (
          <p className="mt-0.5 text-dim">
            The last good picture came <Ago at={template.health.last_good_at} className="num" />.
          </p>
        )}
      </div>
    </div>
  );
}

function Actions({ template }: { template: Template }) {
  const navigate = route.useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = useRemoveSource(template, () => {
    toast(`${template.name} was deleted.`);
    void navigate({ to: '/sources' });
  });
  return (
    <div className="flex items-center gap-2">
      <EnableSwitch template={template} />
      <Link to="/sources/$sourceId/edit" params={{ sourceId: template.id }} className="btn">
        <Pencil aria-hidden className="size-4" />
        Edit
      </Link>
      <button
        type="button"
        className="btn btn-icon"
        aria-label="Delete"
        title="Delete"
        onClick={() => setAsking(true)}
      >
        <Trash2 aria-hidden className="size-4" />
      </button>
      {asking && (
        <Confirm
          title={`Delete ${template.name}?`}
          action="Delete source"
          busy={remove.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate(undefined, { onSettled: () => setAsking(false) })}
        >
          It is no longer watched, and its settings and rules are gone. What it captured stays.
        </Confirm>
      )}
    </div>
  );
}

function Facts({ template }: { template: Template }) {
  const kinds = useQuery(kindsQuery).data;
  const { stream, groups, notes, motion, enabled } = template;
  return (
    <Section title="About">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2 p-4 text-sm">
        <Fact label="Kind">{kinds?.find(({ kind }) => kind === template.kind)?.title ?? template.kind}</Fact>
        {enabled && (
          <Fact label="Since">
            <Ago at={stream.since} className="num" />
          </Fact>
        )}
        {template.health.last_good_at !== null && (
          <Fact label="Last picture">
            <Ago at={template.health.last_good_at} className="num" />
          </Fact>
        )}
        {pictureFacts(template) !== '' && (
          <Fact label="Picture">
            <span className="num">{pictureFacts(template)}</span>
          </Fact>
        )}
        <Fact label="Motion">{motion.detector === 'off' ? 'Not watched for' : 'Watched for'}</Fact>
        {groups.length > 0 && <Fact label="Groups">{groups.join(', ')}</Fact>}
        {notes !== '' && <Fact label="Notes">{notes}</Fact>}
      </dl>
    </Section>
  );
}

function RecentEvents({ template }: { template: Template }) {
  const queryClient = useQueryClient();
  const events = useInfiniteQuery(eventsQuery({ source: template.id }, RECENT));
  useLiveMessages((message) => {
    const isOurs = message.type === 'event' && message.event.template_id === template.id;
    if (isOurs) void queryClient.invalidateQueries({ queryKey: keys.events });
  });
  const items = events.data?.pages[0]?.items;
  return (
    <Section
      title="Last events"
      aside={
        items !== undefined &&
        items.length > 0 && (
          <Link
            to="/events"
            search={{ source: template.id }}
            className="rounded text-xs text-accent underline underline-offset-2"
          >
            Show all
          </Link>
        )
      }
    >
      {items ? (
        items.length > 0 ? (
          <ul className="overflow-hidden rounded-xl">
            {items.map((event) => (
              <li key={event.id} className="h-[76px] last:*:border-0">
                <EventRow event={event} name={template.name} isBare isOpen={false} />
              </li>
            ))}
          </ul>
        ) : (
          <Empty small icon={Activity} title="Nothing has happened yet" />
        )
      ) : events.isError ? (
        <Failure error={events.error} onRetry={() => void events.refetch()} />
      ) : (
        <div className="p-4">
          <Skeleton rows={3} className="h-14 rounded" />
        </div>
      )}
    </Section>
  );
}
