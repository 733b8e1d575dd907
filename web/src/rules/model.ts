/** Rules as a form holds them, and in words. */

import type { LevelName, QuietHours, Rule } from '../api/types';
import type { Errors } from '../forms/schema';
import { duration } from '../format/time';
import { eventKind, percent } from '../format/words';

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export const DAY_NAMES: Record<string, string> = {
  mon: 'Mon',
  tue: 'Tue',
  wed: 'Wed',
  thu: 'Thu',
  fri: 'Fri',
  sat: 'Sat',
  sun: 'Sun',
};

/** Events a rule can be about. */
export const RULE_EVENTS = ['motion', 'change', 'health', 'capture.failed'] as const;

export interface RuleValues {
  name: string;
  enabled: boolean;
  event: string;
  minScore: number;
  zone: string;
  dedupeS: string;
  quietHours: QuietHours[];
  timezone: string;
  level: LevelName;
  channels: string[];
}

export function newRule(timezone: string): RuleValues {
  return {
    name: '',
    enabled: true,
    event: 'motion',
    minScore: 0.02,
    zone: '',
    dedupeS: '300',
    quietHours: [],
    timezone,
    level: 'warning',
    channels: [],
  };
}

export function ruleValues(rule: Rule): RuleValues {
  return {
    name: rule.name,
    enabled: rule.enabled,
    event: rule.when.event,
    minScore: rule.when.min_score,
    zone: rule.when.zone ?? '',
    dedupeS: String(rule.dedupe_s),
    quietHours: rule.quiet_hours,
    timezone: rule.timezone,
    level: rule.level,
    channels: rule.channels,
  };
}

export type RuleBody = Omit<Rule, 'id'> & { id?: string };

/** What is sent: without an id for a new rule, which the server then names. */
export function ruleBody(values: RuleValues, known?: Rule): RuleBody {
  const isMotion = values.event === 'motion';
  return {
    ...known,
    name: values.name.trim(),
    enabled: values.enabled,
    when: {
      event: values.event,
      min_score: isMotion ? values.minScore : 0,
      ...(isMotion && values.zone !== '' && { zone: values.zone }),
    },
    dedupe_s: Number(values.dedupeS),
    quiet_hours: values.quietHours,
    timezone: values.timezone,
    level: values.level,
    channels: values.channels,
  };
}

export function checkRule(values: RuleValues): Errors {
  const seconds = Number(values.dedupeS);
  return {
    ...(values.name.trim() === '' && { name: 'A name is needed.' }),
    ...((values.dedupeS.trim() === '' || !Number.isFinite(seconds) || seconds < 0) && {
      dedupe_s: 'A number of seconds, 0 or more.',
    }),
    ...(values.quietHours.some(({ days }) => days.length === 0) && {
      quiet_hours: 'Choose at least one day.',
    }),
  };
}

export const RULE_POINTERS = [
  'name',
  'when/event',
  'when/min_score',
  'when/zone',
  'dedupe_s',
  'quiet_hours',
  'timezone',
  'level',
  'channels',
];

/** A rule as a sentence. */
export function ruleInWords(rule: Rule): string {
  const { event, min_score: minScore, zone } = rule.when;
  const more = minScore > 0 ? ` of more than ${percent(minScore)}` : '';
  const where = zone ? ` in ${zone}` : '';
  const often = rule.dedupe_s > 0 ? `, at most every ${duration(rule.dedupe_s * 1000)}` : '';
  const quiet = rule.quiet_hours.map((hours) => `, quiet ${quietInWords(hours)}`).join('');
  return `${eventKind(event)}${more}${where}${often}${quiet}`;
}

export function quietInWords({ days, from, to }: QuietHours): string {
  const when = days.length === DAYS.length ? 'daily' : days.map((day) => DAY_NAMES[day] ?? day).join(', ');
  return `${when} ${from}–${to}`;
}
