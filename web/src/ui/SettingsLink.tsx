import { Link } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';

/** The way back from a page of the settings. */
export function SettingsLink() {
  return (
    <Link
      to="/settings"
      className="mx-4 mt-3 -mb-2 inline-flex h-6 items-center gap-1 rounded text-xs text-dim hover:text-ink md:mx-6 pointer-coarse:h-11"
    >
      <ChevronLeft aria-hidden className="-ml-1 size-4" />
      Settings
    </Link>
  );
}
