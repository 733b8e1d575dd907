import type { ErrorComponentProps } from '@tanstack/react-router';
import { Failure } from '../ui/parts';

/** Shown in place of a page that could not be drawn. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  return (
    <div className="pt-16">
      <Failure error={error} onRetry={reset} />
    </div>
  );
}
