import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../api/client';
import { explain, isStatus } from '../api/errors';
import { FormError, PasswordField, TextField } from '../forms/Input';
import { Entrance } from './Entrance';

const route = getRouteApi('/login');

export function LoginPage() {
  const { next } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationFn: () => bodyOf(api.POST('/api/auth/login', { body: { email, password } })),
    onSuccess: () => {
      queryClient.clear();
      router.history.push(next ?? '/live');
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    login.mutate();
  };
  return (
    <Entrance title="Sign in to Glimpser" sub="To see your cameras and what happened.">
      <form className="space-y-4" onSubmit={submit}>
        <TextField
          label="Email"
          type="email"
          required
          autoComplete="username"
          value={email}
          onChange={setEmail}
        />
        <PasswordField
          label="Password"
          required
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
        />
        <FormError>{login.isError && refusal(login.error)}</FormError>
        <button type="submit" className="btn btn-primary w-full" disabled={login.isPending}>
          {login.isPending ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </Entrance>
  );
}

function refusal(error: unknown): string {
  return isStatus(error, 401) ? 'Email or password is wrong.' : explain(error);
}
