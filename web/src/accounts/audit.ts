/** The log of changes in the words of the page. */

const ACTIONS: Record<string, string> = {
  'template.created': 'added the source',
  'template.changed': 'changed the source',
  'template.removed': 'deleted the source',
  'channel.created': 'added the channel',
  'channel.changed': 'changed the channel',
  'channel.removed': 'deleted the channel',
  'channel.tested': 'sent a test through the channel',
  'user.created': 'added the user',
  'user.changed': 'changed the user',
  'user.removed': 'deleted the user',
  'user.password_changed': 'changed their password',
  'user.password_refused': 'gave a wrong password to change it',
  'login.refused': 'was refused at the door',
  'api_key.created': 'made the API key',
  'api_key.revoked': 'revoked the API key',
  'schedule.triggered': 'captured at once the source',
  'schedule.paused': 'paused the schedule of',
  'schedule.resumed': 'resumed the schedule of',
  'job.cancelled': 'cancelled the job',
  'job.retried': 'repeated the job',
  'alert.acknowledged': 'acknowledged the alert',
  'alert.retried': 'sent the alert again',
  'artifact.pinned': 'pinned the picture',
  'artifact.unpinned': 'no longer pins the picture',
  'backup.asked': 'made a backup',
  'backup.downloaded': 'downloaded a backup',
  'backup.removed': 'deleted a backup',
  'export.asked': 'made the film or archive',
  'export.deleted': 'deleted the film or archive',
  'retention.asked': 'had what is old cleared',
  'setup.refused': 'gave a wrong setup code',
  'ticket.created': 'made a link for other programs',
  'ticket.revoked': 'revoked the link for other programs',
};

/** The actions that the filter offers; the server may know more. */
export const KNOWN_ACTIONS = Object.keys(ACTIONS);

export function actionInWords(action: string): string {
  return ACTIONS[action] ?? action;
}
