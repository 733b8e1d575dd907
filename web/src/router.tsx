import { QueryCache, QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { isStatus, Unreachable } from './api/errors';
import { api, bodyOf } from './api/client';
import { meQuery } from './api/queries';
import { NotFoundPage } from './pages/NotFound';
import { ErrorPage } from './pages/ErrorPage';
import {
  alertSearch,
  auditSearch,
  eventSearch,
  exportSearch,
  jobSearch,
  liveSearch,
  loginSearch,
  parseSearch,
  stringifySearch,
} from './pages/search';
import { Shell } from './ui/Shell';

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    // A server in the house is reachable without the internet: the browser's "offline" says nothing.
    queries: {
      networkMode: 'always',
      staleTime: 5000,
      retry: (count, error) => error instanceof Unreachable && count < 2,
    },
    mutations: { networkMode: 'always' },
  },
  queryCache: new QueryCache({
    onError: (error) => {
      if (isStatus(error, 401)) void signInAgain();
    },
  }),
});

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('./pages/Setup'), 'SetupPage'),
});

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: loginSearch,
  beforeLoad: leadToSetup,
  component: lazyRouteComponent(() => import('./pages/Login'), 'LoginPage'),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    const me = await context.queryClient.query({ ...meQuery, staleTime: 'static' }).catch(unlessAway);
    if (me === null) throw redirect({ to: '/login', search: { next: location.href } });
  },
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/live', replace: true });
  },
});

const live = createRoute({
  getParentRoute: () => shell,
  path: '/live',
  validateSearch: liveSearch,
  component: lazyRouteComponent(() => import('./pages/Live'), 'LivePage'),
});

const events = createRoute({
  getParentRoute: () => shell,
  path: '/events',
  validateSearch: eventSearch,
  component: lazyRouteComponent(() => import('./pages/Events'), 'EventsPage'),
});

const event = createRoute({
  getParentRoute: () => events,
  path: '$eventId',
  component: lazyRouteComponent(() => import('./pages/EventDetail'), 'EventDetail'),
});

const alerts = createRoute({
  getParentRoute: () => shell,
  path: '/alerts',
  validateSearch: alertSearch,
  component: lazyRouteComponent(() => import('./pages/Alerts'), 'AlertsPage'),
});

const alert = createRoute({
  getParentRoute: () => alerts,
  path: '$alertId',
  component: lazyRouteComponent(() => import('./pages/AlertDetail'), 'AlertDetail'),
});

const sources = createRoute({
  getParentRoute: () => shell,
  path: '/sources',
  component: lazyRouteComponent(() => import('./pages/Sources'), 'SourcesPage'),
});

const newSource = createRoute({
  getParentRoute: () => shell,
  path: '/sources/new',
  component: lazyRouteComponent(() => import('./pages/NewSource'), 'NewSourcePage'),
});

const source = createRoute({
  getParentRoute: () => shell,
  path: '/sources/$sourceId',
  component: lazyRouteComponent(() => import('./pages/Source'), 'SourcePage'),
});

const editSource = createRoute({
  getParentRoute: () => shell,
  path: '/sources/$sourceId/edit',
  component: lazyRouteComponent(() => import('./pages/EditSource'), 'EditSourcePage'),
});

const channels = createRoute({
  getParentRoute: () => shell,
  path: '/channels',
  component: lazyRouteComponent(() => import('./pages/Channels'), 'ChannelsPage'),
});

const jobs = createRoute({
  getParentRoute: () => shell,
  path: '/jobs',
  validateSearch: jobSearch,
  component: lazyRouteComponent(() => import('./pages/Jobs'), 'JobsPage'),
});

const exportsRoute = createRoute({
  getParentRoute: () => shell,
  path: '/exports',
  validateSearch: exportSearch,
  component: lazyRouteComponent(() => import('./pages/Exports'), 'ExportsPage'),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/Settings'), 'SettingsPage'),
});

const users = createRoute({
  getParentRoute: () => shell,
  path: '/settings/users',
  component: lazyRouteComponent(() => import('./pages/Users'), 'UsersPage'),
});

const apiKeys = createRoute({
  getParentRoute: () => shell,
  path: '/settings/keys',
  component: lazyRouteComponent(() => import('./pages/ApiKeys'), 'ApiKeysPage'),
});

const moving = createRoute({
  getParentRoute: () => shell,
  path: '/settings/move',
  component: lazyRouteComponent(() => import('./pages/Moving'), 'MovingPage'),
});

const system = createRoute({
  getParentRoute: () => shell,
  path: '/system',
  component: lazyRouteComponent(() => import('./pages/System'), 'SystemPage'),
});

const audit = createRoute({
  getParentRoute: () => shell,
  path: '/settings/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./pages/Audit'), 'AuditPage'),
});

const unknown = createRoute({
  getParentRoute: () => shell,
  path: '$',
  component: NotFoundPage,
});

const routeTree = root.addChildren([
  setup,
  login,
  shell.addChildren([
    home,
    live,
    events.addChildren([event]),
    alerts.addChildren([alert]),
    sources,
    newSource,
    source,
    editSource,
    channels,
    jobs,
    exportsRoute,
    settings,
    users,
    apiKeys,
    audit,
    moving,
    system,
    unknown,
  ]),
]);

export const router = createRouter({
  routeTree,
  context: { queryClient },
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultErrorComponent: ErrorPage,
  defaultNotFoundComponent: NotFoundPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

/** Loads every page before somebody wants it: then none is missing when the server is. */
export async function loadAllPages(): Promise<void> {
  for (const route of Object.values(router.routesById)) await router.loadRouteChunk(route);
}

/** As long as there is no account at all, signing in leads nowhere. */
async function leadToSetup(): Promise<void> {
  const state = await bodyOf(api.GET('/api/setup')).catch(() => ({ needed: false }));
  if (state.needed) throw redirect({ to: '/setup' });
}

/** Without an answer the shell is drawn, and says so. */
function unlessAway(error: unknown): undefined {
  if (!(error instanceof Unreachable)) throw error;
}

async function signInAgain(): Promise<void> {
  const { pathname, href } = router.state.location;
  if (pathname === '/login' || pathname === '/setup') return;
  queryClient.removeQueries({ queryKey: meQuery.queryKey });
  await router.navigate({ to: '/login', search: { next: href } });
}
