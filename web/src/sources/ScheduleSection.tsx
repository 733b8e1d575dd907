import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Pause, Play, Timer } from 'lucide-react';
import { api, bodyOf } from '../api/client';
import { explain } from '../api/errors';
import type { Schedule, Template } from '../api/types';
import { dayAndClock, inFuture } from '../format/time';
import { jobKeys } from '../jobs/queries';
import { Ago, Failure, Section, Skeleton } from '../ui/parts';
import { toast } from '../ui/toasts';
import { useNow } from '../ui/useNow';
import { scheduleKeys, scheduleQuery } from './queries';

/** When a source is captured, and the buttons to do it now or not for a while; for operators. */
export function ScheduleSection({ template }: { template: Template }) {
  const hasSchedule = template.schedule !== null;
  const schedule = useQuery({ ...scheduleQuery(template.id), enabled: hasSchedule });
  return (
    <Section title="Schedule">
      <div className="space-y-3 p-4 text-sm">
        {!hasSchedule ? (
          <p className="text-dim">It is not captured by the clock.</p>
        ) : schedule.data ? (
          <Times schedule={schedule.data} />
        ) : schedule.isError ? (
          <Failure error={schedule.error} onRetry={() => void schedule.refetch()} />
        ) : (
          <Skeleton rows={2} className="h-5 rounded" />
        )}
        <div className="flex flex-wrap gap-2">
          <RunButton template={template} />
          {schedule.data && <PauseButton schedule={schedule.data} />}
        </div>
      </div>
    </Section>
  );
}

function Times({ schedule }: { schedule: Schedule }) {
  const now = useNow();
  const { next_run: next, last_run: last } = schedule;
  const later = schedule.next_runs.slice(1, 3).map(dayAndClock).join(' · ');
  return (
    <div>
      <p className="font-medium">{schedule.in_words}</p>
      <p className="num mt-1 text-dim">
        {schedule.paused ? (
          <span className="text-motion">Paused: nothing runs until somebody resumes it.</span>
        ) : next === null ? (
          'It does not run now.'
        ) : (
          <>
            Next {inFuture(next, now)}
            {later !== '' && `, then ${later}`}
          </>
        )}
      </p>
      <p className="num mt-1 text-dim">Last {last === null ? 'never' : <Ago at={last} />}</p>
    </div>
  );
}

function RunButton({ template: { id, name, enabled } }: { template: Template }) {
  const queryClient = useQueryClient();
  const params = { path: { template_id: id } };
  const run = useMutation({
    mutationFn: () => bodyOf(api.POST('/api/admin/schedules/{template_id}/trigger', { params })),
    onSuccess: () => toast(`${name} is being captured.`),
    onError: (error) => toast(explain(error), 'bad'),
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: scheduleKeys.of(id) });
      void queryClient.invalidateQueries({ queryKey: jobKeys.all });
    },
  });
  return (
    <button type="button" className="btn" disabled={!enabled || run.isPending} onClick={() => run.mutate()}>
      <Timer aria-hidden className="size-4" />
      Capture now
    </button>
  );
}

function PauseButton({ schedule: { template_id: id, paused } }: { schedule: Schedule }) {
  const queryClient = useQueryClient();
  const params = { path: { template_id: id } };
  const toggle = useMutation({
    mutationFn: () =>
      bodyOf(
        paused
          ? api.POST('/api/admin/schedules/{template_id}/resume', { params })
          : api.POST('/api/admin/schedules/{template_id}/pause', { params }),
      ),
    onSuccess: (changed) => queryClient.setQueryData(scheduleKeys.of(id), changed),
    onError: (error) => toast(explain(error), 'bad'),
  });
  const Icon = paused ? Play : Pause;
  return (
    <button type="button" className="btn" disabled={toggle.isPending} onClick={() => toggle.mutate()}>
      <Icon aria-hidden className="size-4" />
      {paused ? 'Resume' : 'Pause'}
    </button>
  );
}
