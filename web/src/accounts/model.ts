/** Accounts and API keys as their forms hold them, and in words. */

import type { Account, AccountForm, ApiKey, ApiKeyForm, Role } from '../api/types';
import type { Errors } from '../forms/schema';
import { dayAndClock } from '../format/time';
import type { StateWords } from '../format/words';
import { groupsOf } from '../sources/model';

export const LEAST_PASSWORD = 12;

export const ROLES: readonly { value: Role; label: string }[] = [
  { value: 'viewer', label: 'Viewer: looks' },
  { value: 'operator', label: 'Operator: also acknowledges, runs and repeats' },
  { value: 'admin', label: 'Admin: also changes everything' },
];

export const ROLE_NAMES: Record<Role, string> = { viewer: 'Viewer', operator: 'Operator', admin: 'Admin' };

export interface AccountValues {
  email: string;
  password: string;
  role: Role;
  groups: string;
  maySignIn: boolean;
}

export function accountValues(account?: Account): AccountValues {
  return {
    email: account?.email ?? '',
    password: '',
    role: account?.role ?? 'viewer',
    groups: account?.groups.join(', ') ?? '',
    maySignIn: !(account?.disabled ?? false),
  };
}

/** What is plainly wrong; a password is needed only where there is none yet. */
export function checkAccount({ email, password }: AccountValues, isNew: boolean): Errors {
  const isShort = password.length < LEAST_PASSWORD && (isNew || password !== '');
  return {
    ...(email.trim() === '' && { email: 'An e-mail address is needed.' }),
    ...(isShort && { password: `At least ${LEAST_PASSWORD} characters.` }),
  };
}

export function newAccount({ email, password, role, groups }: AccountValues): AccountForm {
  return { email: email.trim(), password, role, groups: groupsOf(groups) };
}

/** What differs from the account as it was read: what nobody touched is nobody's change. */
export function accountChange(values: AccountValues, known: Account): Partial<AccountForm & Account> {
  const groups = groupsOf(values.groups);
  const email = values.email.trim();
  const disabled = !values.maySignIn;
  return {
    ...(email !== known.email && { email }),
    ...(values.password !== '' && { password: values.password }),
    ...(values.role !== known.role && { role: values.role }),
    ...(groups.join('\n') !== known.groups.join('\n') && { groups }),
    ...(disabled !== known.disabled && { disabled }),
  };
}

export function accountState(account: Account): StateWords {
  return account.disabled ? { label: 'May not sign in', tone: 'off' } : { label: 'May sign in', tone: 'ok' };
}

/** Which sources somebody sees. */
export function groupsInWords(groups: readonly string[]): string {
  return groups.length === 0 ? 'All sources' : groups.join(', ');
}

const DAY_MS = 86_400_000;

export const LIFETIMES = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'One year' },
  { value: 'none', label: 'Until it is revoked' },
] as const;

export interface KeyValues {
  name: string;
  role: Role;
  groups: string;
  /** In days, or `none`. */
  lifetime: string;
}

export const NEW_KEY: KeyValues = { name: '', role: 'viewer', groups: '', lifetime: '90' };

export function keyForm({ name, role, groups, lifetime }: KeyValues, nowMs: number): ApiKeyForm {
  const expires = lifetime === 'none' ? null : new Date(nowMs + Number(lifetime) * DAY_MS).toISOString();
  return { name: name.trim(), role, groups: groupsOf(groups), expires_at: expires };
}

/** Until when a key opens the door. */
export function expiryInWords({ expires_at }: Pick<ApiKey, 'expires_at'>, nowMs: number): StateWords {
  if (expires_at === null) return { label: 'No end', tone: 'ok' };
  const label = dayAndClock(expires_at);
  return Date.parse(expires_at) > nowMs
    ? { label: `Until ${label}`, tone: 'ok' }
    : { label: `Expired ${label}`, tone: 'bad' };
}
