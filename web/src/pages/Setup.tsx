import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type SubmitEvent } from 'react';
import { api, bodyOf } from '../api/client';
import { FormError, PasswordField, TextField } from '../forms/Input';
import { findingsOf, focusFirstError, NO_FINDINGS } from '../forms/problems';
import { Entrance } from './Entrance';

const FIELDS = ['code', 'email', 'password'];
const SHORTEST_PASSWORD = 12;

export function SetupPage() {
  const state = useQuery({ queryKey: ['setup'], queryFn: () => bodyOf(api.GET('/api/setup')) });
  if (state.data?.needed === false) {
    return (
      <Entrance title="Glimpser is set up" sub="There is an administrator already.">
        <Link to="/login" className="btn btn-primary w-full">
          Sign in
        </Link>
      </Entrance>
    );
  }
  return (
    <Entrance title="Welcome to Glimpser" sub="Make the first account. It administers this server.">
      <SetupForm />
    </Entrance>
  );
}

function SetupForm() {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [code, setCode] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [form, setForm] = useState<HTMLFormElement | null>(null);
  const setUp = useMutation({
    mutationFn: async () => {
      await api.POST('/api/setup', { body: { code: code.trim(), email, password } });
      await api.POST('/api/auth/login', { body: { email, password } });
    },
    onError: () => focusFirstError(form),
    onSuccess: async () => {
      queryClient.clear();
      await navigate({ to: '/live' });
    },
  });
  const { fields, form: refusal } = setUp.isError ? findingsOf(setUp.error, FIELDS) : NO_FINDINGS;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setUp.mutate();
  };
  return (
    <form ref={setForm} className="space-y-4" onSubmit={submit}>
      <TextField
        label="Setup code"
        required
        className="field font-mono"
        hint="The server printed it when it started."
        error={fields.code}
        value={code}
        onChange={setCode}
      />
      <TextField
        label="Email"
        type="email"
        required
        autoComplete="username"
        error={fields.email}
        value={email}
        onChange={setEmail}
      />
      <PasswordField
        label="Password"
        required
        minLength={SHORTEST_PASSWORD}
        autoComplete="new-password"
        hint={`At least ${SHORTEST_PASSWORD} characters.`}
        error={fields.password}
        value={password}
        onChange={setPassword}
      />
      <FormError>{refusal}</FormError>
      <button type="submit" className="btn btn-primary w-full" disabled={setUp.isPending}>
        {setUp.isPending ? 'Creating…' : 'Create account'}
      </button>
    </form>
  );
}
