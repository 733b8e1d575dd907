import type { Delivery } from '../api/types';
import type { StateWords } from '../format/words';
import { plural } from '../format/words';

/** How the sending of one alert stands, in a few words; the worst part decides. */
export function deliverySummary(deliveries: readonly Delivery[]): StateWords {
  const count = (...states: Delivery['status'][]) =>
    deliveries.filter(({ status }) => states.includes(status)).length;
  const dead = count('dead');
  const retrying = count('retrying');
  const waiting = count('pending', 'sending');
  if (deliveries.length === 0) return { label: 'Nobody was told', tone: 'off' };
  if (dead > 0) return { label: `${plural(dead, 'delivery', 'deliveries')} failed`, tone: 'bad' };
  if (retrying > 0)
    return { label: `${plural(retrying, 'delivery', 'deliveries')} being tried again`, tone: 'wait' };
  if (waiting > 0) return { label: 'Being sent', tone: 'wait' };
  return { label: `Sent to ${plural(deliveries.length, 'channel')}`, tone: 'ok' };
}
