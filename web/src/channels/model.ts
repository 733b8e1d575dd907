/** A channel as its form holds it, and the way to and from what the server takes. */

import { api, bodyOf } from '../api/client';
import type { Channel, ChannelForm, Kind } from '../api/types';
import {
  check,
  fieldsOf,
  initialValues,
  toConfig,
  type Errors,
  type Field,
  type Values,
} from '../forms/schema';

export interface ChannelValues {
  name: string;
  config: Values;
}

export function channelValues(kind: Kind, channel?: Channel): ChannelValues {
  return { name: channel?.name ?? '', config: initialValues(fieldsOf(kind.schema), channel?.config) };
}

export function channelBody(values: ChannelValues, kind: Kind, enabled: boolean): ChannelForm {
  const config = toConfig(fieldsOf(kind.schema), values.config);
  return { name: values.name.trim(), kind: kind.kind, config, enabled };
}

/** By the server's pointers, so that both kinds of findings stand at the same fields. */
export function checkChannel({ name, config }: ChannelValues, fields: readonly Field[]): Errors {
  const inConfig = Object.entries(check(fields, config));
  return {
    ...(name.trim() === '' && { name: 'A name is needed.' }),
    ...Object.fromEntries(inConfig.map(([field, message]) => [`config/${field}`, message])),
  };
}

export async function putChannel(known: Channel, body: ChannelForm): Promise<Channel> {
  const params = { path: { channel_id: known.id }, header: { 'if-match': `"${known.version}"` } };
  return bodyOf(api.PUT('/api/admin/channels/{channel_id}', { params, body }));
}

export async function postChannel(body: ChannelForm): Promise<Channel> {
  return bodyOf(api.POST('/api/admin/channels', { body }));
}

/** Where a channel leads, to tell it from others; null where its kind says nothing of that sort. */
export function destination(channel: Channel): string | null {
  const { url } = channel.config;
  return typeof url === 'string' ? url : null;
}
