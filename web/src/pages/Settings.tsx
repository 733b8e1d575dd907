import { useQuery } from '@tanstack/react-query';
import { Link, type LinkProps } from '@tanstack/react-router';
import {
  ArrowLeftRight,
  BookOpen,
  ChevronRight,
  Clapperboard,
  HardDrive,
  History,
  KeyRound,
  ListChecks,
  LockKeyhole,
  Send,
  Users,
  type LucideIcon,
} from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { PasswordDialog } from '../accounts/PasswordDialog';
import { meQuery, versionQuery } from '../api/queries';
import type { Role } from '../api/types';
import { may } from '../role';
import { LogOutButton, ThemePicker } from '../ui/AccountMenu';
import { Head } from '../ui/parts';

const LINK =
  'flex h-12 items-center gap-3 px-4 text-sm hover:bg-raised first:rounded-t-xl last:rounded-b-xl not-first:border-t not-first:border-line';

interface Place {
  to: LinkProps['to'];
  label: string;
  icon: LucideIcon;
  needs: Role;
}

const PLACES: readonly Place[] = [
  { to: '/channels', label: 'Channels for alerts', icon: Send, needs: 'admin' },
  { to: '/exports', label: 'Films and archives', icon: Clapperboard, needs: 'operator' },
  { to: '/jobs', label: 'Jobs', icon: ListChecks, needs: 'operator' },
  { to: '/system', label: 'System, disk and backup', icon: HardDrive, needs: 'viewer' },
  { to: '/settings/move', label: 'Import and export of sources', icon: ArrowLeftRight, needs: 'admin' },
  { to: '/settings/users', label: 'Users', icon: Users, needs: 'admin' },
  { to: '/settings/keys', label: 'API keys', icon: KeyRound, needs: 'admin' },
  { to: '/settings/audit', label: 'Changes, and who made them', icon: History, needs: 'admin' },
];

export function SettingsPage() {
  const [changing, setChanging] = useState(false);
  const me = useQuery(meQuery).data;
  const version = useQuery(versionQuery).data;
  const places = PLACES.filter(({ needs }) => may(me?.role, needs));
  return (
    <>
      <Head title="Settings" />
      <div className="max-w-xl space-y-6 px-4 pb-8 md:px-6">
        <Section title="Account">
          <div className="p-4">
            <p className="truncate text-sm font-medium">{me?.email ?? ' '}</p>
            <p className="mb-4 min-h-4 text-xs text-dim">{me && `Signed in as ${me.role}`}</p>
            <ThemePicker />
            <button type="button" className="btn mt-4 w-full" onClick={() => setChanging(true)}>
              <LockKeyhole aria-hidden className="size-4" />
              Change password
            </button>
            <LogOutButton />
          </div>
        </Section>
        <Section title="Server">
          {places.map((place) => (
            <Link key={place.label} to={place.to} className={LINK}>
              <place.icon aria-hidden className="size-4 text-dim" />
              {place.label}
              <ChevronRight aria-hidden className="ml-auto size-4 text-dim" />
            </Link>
          ))}
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
      {changing && <PasswordDialog onClose={() => setChanging(false)} />}
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
