import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ArrowLeft, Check, RotateCw } from 'lucide-react';
import { api, bodyOf } from '../api/client';
import { explain, isStatus } from '../api/errors';
import { alertQuery, channelsQuery, eventQuery, keys, templatesQuery } from '../api/queries';
import type { Alert, Delivery } from '../api/types';
import { boxesOf } from '../events/boxes';
import { Picture } from '../events/Picture';
import { inFuture } from '../format/time';
import { ALERT_STATES, DELIVERY_STATES, LEVELS, plural } from '../format/words';
import { useMay } from '../session';
import { Ago, Failure, State, useTitle } from '../ui/parts';
import { toast } from '../ui/toasts';
import { useNow } from '../ui/useNow';
import { Fact } from './EventDetail';
import { NotFoundPage } from './NotFound';

const route = getRouteApi('/shell/alerts/$alertId');

export function AlertDetail() {
  const { alertId } = route.useParams();
  const alert = useQuery(alertQuery(alertId));
  if (alert.data) return <Detail alert={alert.data} />;
  if (isStatus(alert.error, 404, 422)) return <NotFoundPage />;
  if (alert.isError) return <Failure error={alert.error} onRetry={() => void alert.refetch()} />;
  return <div aria-hidden className="shimmer mt-4 h-64 rounded-xl lg:mt-0" />;
}

function Detail({ alert }: { alert: Alert }) {
  useTitle(alert.title);
  const templates = useQuery(templatesQuery).data;
  const source = templates?.find(({ id }) => id === alert.template_id);
  return (
    <article aria-label={alert.title}>
      <Link to="/alerts" search={true} className="btn btn-quiet my-2 -ml-3 lg:hidden">
        <ArrowLeft aria-hidden className="size-4" />
        All alerts
      </Link>
      <div className="card">
        {alert.event_id !== null && <EventPicture eventId={alert.event_id} alt={alert.title} />}
        <div className="p-4 md:p-5">
          <p className="text-xs text-dim">
            {LEVELS[alert.level]} · <Ago at={alert.created_at} />
          </p>
          <h2 className="mt-1 text-lg font-semibold">{alert.title}</h2>
          {alert.body !== '' && (
            <p className="mt-1 text-sm break-words whitespace-pre-line text-dim">{alert.body}</p>
          )}
          <dl className="mt-4 grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2 text-sm">
            <Fact label="State">
              {ALERT_STATES[alert.state]}
              {alert.acked_at !== null && (
                <span className="text-dim">
                  {' '}
                  by {alert.acked_by}, <Ago at={alert.acked_at} />
                </span>
              )}
            </Fact>
            {source && (
              <Fact label="Source">
                <Link
                  to="/sources/$sourceId"
                  params={{ sourceId: source.id }}
                  className="rounded text-accent underline underline-offset-2"
                >
                  {source.name}
                </Link>
              </Fact>
            )}
            {alert.event_id !== null && (
              <Fact label="Event">
                <Link
                  to="/events/$eventId"
                  params={{ eventId: alert.event_id }}
                  className="rounded text-accent underline underline-offset-2"
                >
                  Show what happened
                </Link>
              </Fact>
            )}
          </dl>
          <Actions alert={alert} />
        </div>
      </div>
      <section aria-label="Deliveries" className="mt-5">
        <h3 className="mb-2 text-sm font-medium">Deliveries</h3>
        {alert.deliveries.length > 0 ? (
          <ul className="card">
            {alert.deliveries.map((delivery) => (
              <DeliveryRow key={delivery.id} delivery={delivery} />
            ))}
          </ul>
        ) : (
          <p className="card p-4 text-sm text-dim">
            Nobody was told: the rule that made this alert names no channel.
          </p>
        )}
      </section>
    </article>
  );
}

function EventPicture({ eventId, alt }: { eventId: string; alt: string }) {
  const event = useQuery(eventQuery(eventId)).data;
  if (!event) return <div aria-hidden className="shimmer aspect-video rounded-t-xl" />;
  return (
    <Picture
      key={event.artifact_id}
      artifactId={event.artifact_id}
      alt={alt}
      boxes={boxesOf(event.metadata)}
    />
  );
}

function Actions({ alert }: { alert: Alert }) {
  const isOperator = useMay('operator');
  const acknowledge = useAlertAction(alert.id, 'ack', 'Acknowledged.');
  const retry = useAlertAction(alert.id, 'retry', 'It is being sent again.');
  if (!isOperator) return null;
  const canRetry = alert.deliveries.some(({ status }) => status === 'dead' || status === 'retrying');
  return (
    <div className="mt-5 flex flex-wrap gap-2 empty:hidden">
      {alert.state === 'open' && (
        <button
          type="button"
          className="btn btn-primary"
          disabled={acknowledge.isPending}
          onClick={() => acknowledge.mutate()}
        >
          <Check aria-hidden className="size-4" />
          Acknowledge
        </button>
      )}
      {canRetry && (
        <button type="button" className="btn" disabled={retry.isPending} onClick={() => retry.mutate()}>
          <RotateCw aria-hidden className="size-4" />
          Send again
        </button>
      )}
    </div>
  );
}

function useAlertAction(id: string, action: 'ack' | 'retry', done: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () =>
      bodyOf(api.POST(`/api/alerts/{alert_id}/${action}`, { params: { path: { alert_id: id } } })),
    onError: (error) => toast(explain(error), 'bad'),
    onSuccess: () => toast(done),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.alerts }),
  });
}

function DeliveryRow({ delivery }: { delivery: Delivery }) {
  const isAdmin = useMay('admin');
  const channels = useQuery({ ...channelsQuery, enabled: isAdmin }).data;
  const now = useNow();
  const name = channels?.find(({ id }) => id === delivery.channel_id)?.name ?? delivery.channel_kind;
  return (
    <li className="border-b border-line p-4 text-sm last:border-0">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <span className="font-medium">{name}</span>
        <State {...DELIVERY_STATES[delivery.status]} />
      </div>
      <p className="num mt-1 text-xs text-dim">
        {plural(delivery.attempts, 'attempt')}
        {delivery.sent_at !== null && (
          <>
            {' · sent '}
            <Ago at={delivery.sent_at} />
          </>
        )}
        {delivery.status === 'retrying' &&
          delivery.next_attempt_at !== null &&
          ` · next ${inFuture(delivery.next_attempt_at, now)}`}
      </p>
      {delivery.last_error !== null && delivery.status !== 'sent' && (
        <p className="mt-2 rounded bg-raised px-2.5 py-1.5 font-mono text-xs break-words">
          {delivery.last_error}
        </p>
      )}
    </li>
  );
}
