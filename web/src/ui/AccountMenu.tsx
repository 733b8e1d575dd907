import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { ChevronUp, CircleUser, LogOut, Monitor, Moon, Sun, type LucideIcon } from 'lucide-react';
import { useId } from 'react';
import { api } from '../api/client';
import { explain } from '../api/errors';
import { meQuery } from '../api/queries';
import { setTheme, useTheme, type ThemeChoice } from './theme';
import { toast } from './toasts';

export function AccountMenu({ className }: { className: string }) {
  const me = useQuery(meQuery).data;
  const menu = useId();
  return (
    <>
      <button type="button" popoverTarget={menu} className={`${className} w-full`}>
        <CircleUser aria-hidden className="size-[18px] shrink-0" strokeWidth={1.75} />
        <span className="truncate">{me?.email ?? 'Account'}</span>
        <ChevronUp aria-hidden className="ml-auto size-4 shrink-0" />
      </button>
      <div
        id={menu}
        popover="auto"
        role="group"
        aria-label="Account"
        className="inset-auto bottom-16 left-3 m-0 w-64 rounded-xl border border-strong bg-raised p-4 text-ink shadow-xl"
      >
        <p className="truncate text-sm font-medium">{me?.email}</p>
        <p className="mb-4 text-xs text-dim">{me && `Signed in as ${me.role}`}</p>
        <ThemePicker />
        <LogOutButton />
      </div>
    </>
  );
}

const THEMES: readonly { choice: ThemeChoice; label: string; icon: LucideIcon }[] = [
  { choice: 'system', label: 'System', icon: Monitor },
  { choice: 'dark', label: 'Dark', icon: Moon },
  { choice: 'light', label: 'Light', icon: Sun },
];

export function ThemePicker() {
  const current = useTheme();
  const name = useId();
  return (
    <fieldset>
      <legend className="mb-1.5 text-xs text-dim">Colours</legend>
      <div className="grid grid-cols-3 gap-1 rounded-lg bg-canvas p-1">
        {THEMES.map(({ choice, label, icon: Icon }) => (
          <label
            key={choice}
            className="flex h-8 cursor-pointer items-center justify-center gap-1.5 rounded-md text-xs text-dim has-checked:bg-hover has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:h-11"
          >
            <input
              type="radio"
              name={name}
              className="sr-only"
              checked={choice === current}
              onChange={() => setTheme(choice)}
            />
            <Icon aria-hidden className="size-3.5" />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function LogOutButton() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const logOut = useMutation({
    mutationFn: () => api.POST('/api/auth/logout'),
    onError: (error) => toast(explain(error), 'bad'),
    onSuccess: async () => {
      await navigate({ to: '/login' });
      queryClient.clear();
    },
  });
  return (
    <button
      type="button"
      className="btn mt-4 w-full"
      disabled={logOut.isPending}
      onClick={() => logOut.mutate()}
    >
      <LogOut aria-hidden className="size-4" />
      Log out
    </button>
  );
}
