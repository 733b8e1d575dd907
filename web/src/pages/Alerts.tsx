import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useParams } from '@tanstack/react-router';
import { Bell, BellRing, CircleCheck } from 'lucide-react';
import { alertsQuery } from '../api/queries';
import type { Alert } from '../api/types';
import { deliverySummary } from '../alerts/deliveries';
import { ALERT_STATES, LEVELS } from '../format/words';
import { Ago, Empty, Failure, Head, Skeleton } from '../ui/parts';
import { SplitView } from '../ui/SplitView';

const route = getRouteApi('/shell/alerts');
const STATES = [undefined, 'open', 'acknowledged', 'resolved'] as const;

export function AlertsPage() {
  const { state } = route.useSearch();
  const navigate = route.useNavigate();
  const open = useParams({ strict: false }).alertId;
  const alerts = useInfiniteQuery(alertsQuery(state));
  const items = alerts.data?.pages.flatMap((page) => page.items);
  const list = items ? (
    <AlertList
      alerts={items}
      openId={open}
      isFiltered={state !== undefined}
      onMore={alerts.hasNextPage ? () => void alerts.fetchNextPage() : undefined}
    />
  ) : alerts.isError ? (
    <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />
  ) : (
    <Skeleton rows={6} className="h-[68px] rounded-lg" />
  );
  return (
    <SplitView
      title="Alerts"
      open={open !== undefined}
      head={
        <Head title="Alerts">
          <div
            role="group"
            aria-label="State"
            className="-mx-4 flex max-w-[100vw] gap-2 overflow-x-auto px-4 py-0.5 md:mx-0 md:px-0.5"
          >
            {STATES.map((one) => (
              <button
                key={one ?? ''}
                type="button"
                className="chip"
                aria-pressed={state === one}
                onClick={() =>
                  void navigate({ search: one === undefined ? {} : { state: one }, replace: true })
                }
              >
                {one === undefined ? 'All' : ALERT_STATES[one]}
              </button>
            ))}
          </div>
        </Head>
      }
      list={list}
      detail={
        <>
          <Outlet />
          {open === undefined && items !== undefined && items.length > 0 && (
            <Empty icon={Bell} title="Choose an alert">
              Why it was made and whom it reached appear here.
            </Empty>
          )}
        </>
      }
    />
  );
}

interface ListProps {
  alerts: readonly Alert[];
  openId: string | undefined;
  isFiltered: boolean;
  onMore: (() => void) | undefined;
}

function AlertList({ alerts, openId, isFiltered, onMore }: ListProps) {
  if (alerts.length === 0) {
    return (
      <div className="card h-full overflow-auto">
        {isFiltered ? (
          <Empty icon={Bell} title="No alert is in this state" />
        ) : (
          <Empty
            icon={Bell}
            title="No alerts"
            action={
              <Link to="/sources" className="btn">
                Go to sources
              </Link>
            }
          >
            An alert is made when a rule of a source fits what happened. Rules are on the page of each source.
          </Empty>
        )}
      </div>
    );
  }
  return (
    <div className="card h-full overflow-auto overscroll-contain">
      <ul>
        {alerts.map((alert) => (
          <li key={alert.id}>
            <AlertRow alert={alert} isOpen={alert.id === openId} />
          </li>
        ))}
      </ul>
      {onMore && (
        <button type="button" className="btn btn-quiet m-3" onClick={onMore}>
          Show earlier alerts
        </button>
      )}
    </div>
  );
}

function AlertRow({ alert, isOpen }: { alert: Alert; isOpen: boolean }) {
  const isActive = alert.state === 'open';
  const Icon = isActive ? BellRing : CircleCheck;
  const { label, tone } = deliverySummary(alert.deliveries);
  return (
    <Link
      to="/alerts/$alertId"
      params={{ alertId: alert.id }}
      search={true}
      aria-current={isOpen || undefined}
      className={`flex min-h-[76px] items-center gap-3 border-b border-line px-4 py-2.5 transition-colors hover:bg-raised focus-visible:-outline-offset-2 ${isOpen ? 'bg-raised' : ''}`}
    >
      <Icon
        aria-hidden
        className={`size-5 shrink-0 ${isActive ? 'text-danger' : 'text-dim'}`}
        strokeWidth={1.75}
      />
      <span className="min-w-0 flex-1">
        <span className={`line-clamp-1 text-sm ${isActive ? 'font-medium' : ''}`}>{alert.title}</span>
        <span className="block text-xs text-dim">
          {ALERT_STATES[alert.state]} · {LEVELS[alert.level]}
        </span>
        <span className={`block text-xs ${tone === 'bad' ? 'text-danger' : 'text-dim'}`}>{label}</span>
      </span>
      <Ago at={alert.created_at} className="shrink-0 self-start pt-0.5 text-xs text-dim" />
    </Link>
  );
}
