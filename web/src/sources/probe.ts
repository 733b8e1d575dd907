/** Trying an address before it is saved: a job of the server, followed step by step. */

import { api, bodyOf } from '../api/client';
import { isRecord } from '../api/errors';
import type { Job } from '../api/types';
import type { Values } from '../forms/schema';

/** The server's steps, in its order, in words for people. */
export const STEPS: readonly { name: string; doing: string; done: string }[] = [
  { name: 'parse', doing: 'Reading the address', done: 'The address can be read' },
  { name: 'resolve', doing: 'Looking up its name', done: 'Its name was found' },
  { name: 'connect', doing: 'Connecting', done: 'It takes connections' },
  { name: 'recognise', doing: 'Finding out what it is', done: 'What it is, is known' },
  { name: 'open', doing: 'Opening it', done: 'It opens' },
  { name: 'first picture', doing: 'Waiting for a picture', done: 'It gives pictures' },
  { name: 'store', doing: 'Keeping the picture for you', done: 'Here is one' },
];

export type Progress = 'waiting' | 'doing' | 'done' | 'failed' | 'left';

export interface Found {
  kind: string;
  config: Values;
  width: number;
  height: number;
  fps: number | null;
  codec: string | null;
  artifactId: string;
}

const ENDED: ReadonlySet<Job['status']> = new Set(['success', 'failure', 'cancelled', 'skipped', 'dead']);
const ASK_EVERY_MS = 300;

/** What is to be tried: an address, or the config of a kind, with the secrets of a source that is stored. */
export interface Asked {
  url?: string;
  kind?: string;
  config?: Values;
  template_id?: string;
}

export async function startProbe(asked: Asked): Promise<string> {
  const body = asked as { url?: string };
  return (await bodyOf(api.POST('/api/templates/probe', { body }))).job_id;
}

export async function readJob(jobId: string): Promise<Job> {
  const params = { path: { job_id: jobId } };
  return bodyOf(api.GET('/api/admin/jobs/{job_id}', { params }));
}

export function hasEnded(job: Job | undefined): boolean {
  return job !== undefined && ENDED.has(job.status);
}

/** How long until the job is asked for again; false: it has ended. */
export function nextAsk(job: Job | undefined): number | false {
  return hasEnded(job) ? false : ASK_EVERY_MS;
}

/** How each step stands. Those after one that failed are left out. */
export function progressOf(job: Job | undefined): Progress[] {
  if (job?.status === 'success') return STEPS.map(() => 'done');
  const at = STEPS.findIndex(({ name }) => name === job?.step);
  const ended = hasEnded(job);
  return STEPS.map((_, index) => {
    if (index < at) return 'done';
    if (index === at) return ended ? 'failed' : 'doing';
    return ended ? 'left' : 'waiting';
  });
}

/** What a job found; null when it found nothing, or says so in words this page does not know. */
export function foundBy(job: Job | undefined): Found | null {
  const result = job?.status === 'success' ? job.result : null;
  if (!isRecord(result)) return null;
  const { kind, config, width, height, fps, codec, artifact_id: artifactId } = result;
  if (typeof kind !== 'string' || !isRecord(config) || typeof artifactId !== 'string') return null;
  return {
    kind,
    config,
    width: typeof width === 'number' ? width : 0,
    height: typeof height === 'number' ? height : 0,
    fps: typeof fps === 'number' ? fps : null,
    codec: typeof codec === 'string' ? codec : null,
    artifactId,
  };
}

/**
 * The config to be saved. The server's answer has no secrets: the password, and what was hidden inside the
 * address, are taken from what was typed.
 */
export function configOf(found: Found, typed: string): Values {
  const address = typed.trim();
  const login = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@(.*)$/is.exec(address);
  if (!login) return typeof found.config.url === 'string' ? { ...found.config, url: address } : found.config;
  const [, scheme = '', userinfo = '', rest = ''] = login;
  const colon = userinfo.indexOf(':');
  const password = colon < 0 ? '' : decoded(userinfo.slice(colon + 1));
  return { ...found.config, url: `${scheme}${rest}`, ...(password !== '' && { password }) };
}

/** `1920 × 1080, 15 pictures a second, h264`. */
export function factsOf({ width, height, fps, codec }: Found): string {
  const size = `${width} × ${height}`;
  return [size, fps === null || fps === 0 ? null : rate(fps), codec].filter(Boolean).join(', ');
}

function rate(fps: number): string {
  if (fps >= 1) return `${Math.round(fps * 10) / 10} pictures a second`;
  const seconds = Math.round(1 / fps);
  return seconds === 1 ? 'a picture a second' : `a picture every ${seconds} seconds`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
