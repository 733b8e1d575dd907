/** The server's words under short names. */

import type { Rule } from './pending';
import type { components } from './schema';

type Schemas = components['schemas'];

export type {
  Alert,
  AlertState,
  Channel,
  ChannelForm,
  Delivery,
  Page,
  QuietHours,
  Rule,
  TestResult,
} from './pending';

export type LevelName = Schemas['EventView']['level'];
export type Me = Schemas['MeView'];
export type Role = Me['role'];
export type GlimpserEvent = Schemas['EventView'];
export type Stream = Schemas['StreamView'];
export type StreamState = Stream['state'];
export type MotionSettings = Schemas['MotionSettings'];
export type Zone = Schemas['Zone'];
export type Kind = Schemas['KindView'];
export type TemplateForm = Schemas['TemplateForm'];

/** `config` and `rules` are there for admins only. */
export type Template = Schemas['TemplateView'] & {
  config?: Schemas['AdminTemplateView']['config'];
  rules?: Rule[];
};

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
