/** The server's words under short names. */

import type { components } from './schema';

type Schemas = components['schemas'];

export type LevelName = Schemas['EventView']['level'];
export type Me = Schemas['MeView'];
export type Role = Me['role'];
export type GlimpserEvent = Schemas['EventView'];
export type EventPage = Schemas['EventList'];
export type Stream = Schemas['StreamView'];
export type StreamState = Stream['state'];
export type Health = Schemas['HealthView'];
export type HealthState = Health['state'];
export type Alert = Schemas['AlertView'];
export type AlertState = Alert['state'];
export type Delivery = Schemas['DeliveryView'];
export type Channel = Schemas['ChannelView'];
export type ChannelForm = Schemas['ChannelForm'];
export type TestResult = Schemas['ChannelTestView'];
export type QuietHours = Schemas['QuietHoursForm'];
export type Kind = Schemas['KindView'];
export type TemplateForm = Schemas['TemplateForm'];

export type Account = Schemas['AccountView'];
export type AccountForm = Schemas['UserForm'];
export type NewApiKey = Schemas['NewKeyView'];
export type ApiKey = Schemas['ApiKeyView'];
export type ApiKeyForm = Schemas['ApiKeyForm'];

export type Job = Schemas['JobView'];
export type JobStatus = Job['status'];
export type Schedule = Schemas['ScheduleView'];
export type Capture = Schemas['CaptureView'];

export type AuditEntry = Schemas['AuditView'];

/** A rule that is stored has an id. */
export type Rule = Schemas['RuleForm'] & { id: string };

/** `config`, `rules` and `secrets` are there for admins only. */
export type Template = Schemas['TemplateView'] & {
  config?: Schemas['AdminTemplateView']['config'];
  rules?: Rule[];
  /** The names of the fields of `config` that are set and never shown. */
  secrets?: Schemas['AdminTemplateView']['secrets'];
};

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
