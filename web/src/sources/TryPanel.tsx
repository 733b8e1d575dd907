import { Play } from 'lucide-react';
import type { Kind } from '../api/types';
import { ProbeResult, type useProbe } from './ProbeResult';

interface Props {
  probe: ReturnType<typeof useProbe>;
  kinds: readonly Kind[];
  onTry: () => void;
}

/** Shows what the settings of a form would give, before they are saved. */
export function TryPanel({ probe, kinds, onTry }: Props) {
  return (
    <section aria-labelledby="try" className="card p-4">
      <div className="flex items-center justify-between gap-3">
        <div>
          <h2 id="try" className="text-sm font-medium">
            Does it work?
          </h2>
          <p className="text-xs text-dim">See a picture before you save.</p>
        </div>
        <button type="button" className="btn" disabled={probe.isBusy} onClick={onTry}>
          <Play aria-hidden className="size-4" />
          {probe.isBusy ? 'Trying…' : 'Try these settings'}
        </button>
      </div>
      <ProbeResult probe={probe} kinds={kinds} />
    </section>
  );
}
