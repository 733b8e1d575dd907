import { describe, expect, it } from 'vitest';
import { actionInWords, KNOWN_ACTIONS } from '../src/accounts/audit';
import {
  accountChange,
  accountValues,
  checkAccount,
  expiryInWords,
  groupsInWords,
  keyForm,
  newAccount,
  NEW_KEY,
} from '../src/accounts/model';
import type { Account } from '../src/api/types';
import { auditSearch } from '../src/pages/search';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const ANNA: Account = {
  id: 'u1',
  email: 'anna@example.org',
  role: 'operator',
  groups: ['Home', 'Garden'],
  disabled: false,
  version: 3,
  created_at: '2026-01-01T00:00:00Z',
};

describe('the form of a user', () => {
  it('needs an address and a password of some length for a new one', () => {
    expect(checkAccount(accountValues(), true)).toEqual({
      email: 'An e-mail address is needed.',
      password: 'At least 12 characters.',
    });
    expect(
      checkAccount({ ...accountValues(), email: 'b@example.org', password: 'x'.repeat(12) }, true),
    ).toEqual({});
  });

  it('needs no password for a known one, and no short one', () => {
    const values = accountValues(ANNA);

    expect(checkAccount(values, false)).toEqual({});
    expect(checkAccount({ ...values, password: 'short' }, false)).toHaveProperty('password');
  });

  it('sends what was changed and nothing else', () => {
    const values = accountValues(ANNA);

    expect(accountChange(values, ANNA)).toEqual({});
    expect(accountChange({ ...values, groups: 'Home', maySignIn: false }, ANNA)).toEqual({
      groups: ['Home'],
      disabled: true,
    });
    expect(accountChange({ ...values, password: 'a new password' }, ANNA)).toEqual({
      password: 'a new password',
    });
  });

  it('makes a user with the groups that were typed', () => {
    const values = { ...accountValues(), email: ' b@example.org ', password: 'p', groups: 'Home, ,Home' };

    expect(newAccount(values)).toEqual({
      email: 'b@example.org',
      password: 'p',
      role: 'viewer',
      groups: ['Home'],
    });
  });
});

describe('a key', () => {
  it('ends so many days from now, or never', () => {
    expect(keyForm({ ...NEW_KEY, name: ' Hall ', lifetime: '30' }, NOW)).toEqual({
      name: 'Hall',
      role: 'viewer',
      groups: [],
      expires_at: '2026-03-31T12:00:00.000Z',
    });
    expect(keyForm({ ...NEW_KEY, lifetime: 'none' }, NOW).expires_at).toBeNull();
  });

  it('that has expired is said to have', () => {
    expect(expiryInWords({ expires_at: '2026-02-28T12:00:00Z' }, NOW)).toMatchObject({ tone: 'bad' });
    expect(expiryInWords({ expires_at: '2026-03-02T12:00:00Z' }, NOW)).toMatchObject({ tone: 'ok' });
    expect(expiryInWords({ expires_at: null }, NOW)).toEqual({ label: 'No end', tone: 'ok' });
  });
});

it('who has no groups sees everything', () => {
  expect(groupsInWords([])).toBe('All sources');
  expect(groupsInWords(['Home', 'Garden'])).toBe('Home, Garden');
});

describe('the log of changes', () => {
  it('has words for what it knows, and the name of what it does not', () => {
    expect(KNOWN_ACTIONS.every((action) => actionInWords(action) !== action)).toBe(true);
    expect(actionInWords('moon.landed')).toBe('moon.landed');
  });

  it('takes days from its address and leaves out what is none', () => {
    expect(auditSearch({ from: '2026-02-28', to: '2026-02-31', actor: 'anna', else: 'x' })).toEqual({
      from: '2026-02-28',
      actor: 'anna',
    });
  });
});
