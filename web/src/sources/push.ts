/** The words a program needs to send pictures to a source. */

/** The kind of sources whose pictures are sent: there is nothing to try. */
export const SENT_KIND = 'push';

export function pushAddress(origin: string, templateId: string): string {
  return `${origin}/api/stream/${templateId}/push`;
}

/** A command that sends one picture, and fails when it is refused. */
export function curlLine(address: string): string {
  const headers = ['x-api-key: KEY', 'Content-Type: image/jpeg'].map((header) => `-H '${header}'`);
  return ['curl --fail-with-body', ...headers, '--data-binary @picture.jpg', `'${address}'`].join(' ');
}
