import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BookOpen, ChevronRight, Send } from 'lucide-react';
import type { ReactNode } from 'react';
import { meQuery, versionQuery } from '../api/queries';
import { may } from '../role';
import { LogOutButton, ThemePicker } from '../ui/AccountMenu';
import { Head } from '../ui/parts';

const LINK =
  'flex h-12 items-center gap-3 px-4 text-sm hover:bg-raised first:rounded-t-xl last:rounded-b-xl not-first:border-t not-first:border-line';

export function SettingsPage() {
  const me = useQuery(meQuery).data;
  const version = useQuery(versionQuery).data;
  return (
    <>
      <Head title="Settings" />
      <div className="max-w-xl space-y-6 px-4 pb-8 md:px-6">
        <Section title="Account">
          <div className="p-4">
            <p className="truncate text-sm font-medium">{me?.email ?? ' '}</p>
            <p className="mb-4 min-h-4 text-xs text-dim">{me && `Signed in as ${me.role}`}</p>
            <ThemePicker />
            <LogOutButton />
          </div>
        </Section>
        <Section title="Server">
          {may(me?.role, 'admin') && (
            <Link to="/channels" className={LINK}>
              <Send aria-hidden className="size-4 text-dim" />
              Channels for alerts
              <ChevronRight aria-hidden className="ml-auto size-4 text-dim" />
            </Link>
          )}
          <a href="/docs" className={LINK}>
            <BookOpen aria-hidden className="size-4 text-dim" />
            Interface for programs
            <ChevronRight aria-hidden className="ml-auto size-4 text-dim" />
          </a>
        </Section>
        <p className="num min-h-4 text-xs text-dim">
          {version && `Glimpser ${version.version}${version.commit === null ? '' : ` (${version.commit})`}`}
        </p>
      </div>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h2 className="mb-2 text-sm font-medium text-dim">{title}</h2>
      <div className="card">{children}</div>
    </section>
  );
}
