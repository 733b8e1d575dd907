import { api, bodyOf } from '../api/client';
import type { Channel, ChannelForm } from '../api/types';

export async function putChannel(known: Channel, form: ChannelForm): Promise<Channel> {
  const params = { path: { id: known.id }, header: { 'if-match': `"${known.version}"` } };
  const { name, kind, config, enabled } = form;
  return bodyOf(api.PUT('/api/admin/channels/{id}', { params, body: { name, kind, config, enabled } }));
}

export async function postChannel(form: ChannelForm): Promise<Channel> {
  return bodyOf(api.POST('/api/admin/channels', { body: form }));
}

/** A webhook as its form holds it; an empty secret is not sent, and the server then keeps its own. */
export interface WebhookValues {
  name: string;
  url: string;
  secret: string;
  headers: Record<string, string>;
}

export function webhookValues(channel?: Channel): WebhookValues {
  return {
    name: channel?.name ?? '',
    url: channel?.config.url ?? '',
    secret: '',
    headers: channel?.config.headers ?? {},
  };
}

export function webhookForm(values: WebhookValues, enabled: boolean): ChannelForm {
  const { name, url, secret, headers } = values;
  return {
    name: name.trim(),
    kind: 'webhook',
    enabled,
    config: { url: url.trim(), headers, ...(secret !== '' && { secret }) },
  };
}

export function checkWebhook({ name, url }: WebhookValues): Record<string, string> {
  return {
    ...(name.trim() === '' && { name: 'A name is needed.' }),
    ...(!/^https?:\/\/\S+$/.test(url.trim()) && {
      'config/url': 'An address that begins with https:// or http://.',
    }),
  };
}
