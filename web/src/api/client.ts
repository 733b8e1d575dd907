/** The one way to the server: typed by its own description, errors as exceptions. */

import createClient, { type Middleware } from 'openapi-fetch';
import { observeServerDate } from './clock';
import { setReachable } from './connection';
import { problemOf, Unreachable } from './errors';
import type { paths } from './schema';

const middleware: Middleware = {
  async onResponse({ response }) {
    setReachable(true);
    observeServerDate(response.headers.get('date'));
    if (!response.ok) throw await problemOf(response);
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === 'AbortError') return error;
    setReachable(false);
    return new Unreachable(error);
  },
};

export const api = createClient<paths>({ baseUrl: '/' });
api.use(middleware);

/** Gives the body of an answer; a refusal was thrown before. */
export async function bodyOf<T>(request: Promise<{ data?: T }>): Promise<T> {
  return (await request).data as T;
}
