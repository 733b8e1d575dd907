/**
 * What the server's description does not hold yet, by hand and in its shape. Once `glimpser openapi` names
 * these paths, `npm run types` generates them and this file goes.
 */

import type { LevelName } from './types';

export interface QuietHours {
  days: string[];
  from: string;
  to: string;
}

export interface Rule {
  id: string;
  name: string;
  enabled: boolean;
  when: { event: string; min_score?: number; zone?: string | null };
  dedupe_s: number;
  quiet_hours: QuietHours[];
  timezone: string;
  level: LevelName;
  channels: string[];
}

export type DeliveryStatus = 'pending' | 'sending' | 'retrying' | 'sent' | 'dead';

export interface Delivery {
  id: string;
  channel_id: string;
  channel_kind: string;
  status: DeliveryStatus;
  attempts: number;
  last_error: string | null;
  next_attempt_at: string | null;
  sent_at: string | null;
  provider_response: string | null;
  idempotency_key: string;
}

export type AlertState = 'open' | 'acknowledged' | 'resolved';

export interface Alert {
  id: string;
  template_id: string | null;
  event_id: string | null;
  rule_id: string | null;
  kind: string;
  level: LevelName;
  title: string;
  body: string;
  state: AlertState;
  acked_by: string | null;
  acked_at: string | null;
  created_at: string;
  deliveries: Delivery[];
}

export interface WebhookConfig {
  url: string;
  secret?: string;
  headers?: Record<string, string>;
}

export interface ChannelForm {
  name: string;
  kind: string;
  config: WebhookConfig;
  enabled: boolean;
}

export interface Channel extends ChannelForm {
  id: string;
  version: number;
  last_result: { status: string; error?: string | null; at?: string | null } | null;
}

export interface TestResult {
  channel_id: string;
  status: string;
  error: string | null;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

interface Answer<T> {
  headers: Record<string, unknown>;
  content: { 'application/json': T };
}

interface Nothing {
  headers: Record<string, unknown>;
  content?: never;
}

interface Operation<Params, Body, Answers> {
  parameters: Params;
  requestBody?: Body;
  responses: Answers;
}

interface None {
  query?: never;
  header?: never;
  path?: never;
  cookie?: never;
}

interface Query<Q> {
  query?: Q;
  header?: never;
  path?: never;
  cookie?: never;
}

interface ById {
  query?: never;
  header?: { 'if-match'?: string };
  path: { id: string };
  cookie?: never;
}

interface Json<T> {
  content: { 'application/json': T };
}

export interface PendingPaths {
  '/api/alerts': {
    get: Operation<
      Query<{ state?: AlertState; level?: LevelName; template_id?: string; cursor?: string; limit?: number }>,
      never,
      { 200: Answer<Page<Alert>> }
    >;
  };
  '/api/alerts/{id}': { get: Operation<ById, never, { 200: Answer<Alert> }> };
  '/api/alerts/{id}/ack': { post: Operation<ById, never, { 200: Answer<Alert> }> };
  '/api/alerts/{id}/retry': { post: Operation<ById, never, { 200: Answer<Alert> }> };
  '/api/admin/channels': {
    get: Operation<None, never, { 200: Answer<Page<Channel>> }>;
    post: Operation<None, Json<ChannelForm>, { 201: Answer<Channel> }>;
  };
  '/api/admin/channels/{id}': {
    get: Operation<ById, never, { 200: Answer<Channel> }>;
    put: Operation<ById, Json<ChannelForm>, { 200: Answer<Channel> }>;
    delete: Operation<ById, never, { 204: Nothing }>;
  };
  '/api/admin/channels/{id}/test': { post: Operation<ById, never, { 200: Answer<TestResult> }> };
}
