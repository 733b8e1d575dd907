/** Labelled controls: what is wrong stands at the field and is read out with it. */

import { ChevronDown, Eye, EyeOff } from 'lucide-react';
import { useId, useState, type ComponentProps, type ReactNode } from 'react';

interface FrameProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  children: (aria: Aria) => ReactNode;
}

export interface Aria {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

export function FieldFrame({ label, hint, error, optional = false, children }: FrameProps) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(
    Boolean,
  );
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-sm font-medium">
        {label}
        {optional && <span className="ml-1.5 font-normal text-faint">optional</span>}
      </label>
      {children({
        id,
        'aria-describedby': described.join(' ') || undefined,
        'aria-invalid': error === undefined ? undefined : true,
      })}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1.5 text-xs text-dim">
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p id={`${id}-error`} className="mt-1.5 text-xs text-danger">
          {error}
        </p>
      )}
    </div>
  );
}

interface TextProps extends Omit<ComponentProps<'input'>, 'onChange' | 'value'> {
  label: string;
  value: string;
  hint?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  unit?: string | undefined;
  onChange: (value: string) => void;
}

export function TextField({ label, hint, error, optional, unit, onChange, ...input }: TextProps) {
  return (
    <FieldFrame label={label} hint={hint} error={error} optional={optional ?? false}>
      {(aria) => (
        <div className="relative">
          <input
            autoComplete="off"
            spellCheck={false}
            {...input}
            {...aria}
            className="field"
            onChange={(event) => onChange(event.target.value)}
          />
          {unit !== undefined && (
            <span aria-hidden className="absolute top-1/2 right-3 -translate-y-1/2 text-xs text-dim">
              {unit}
            </span>
          )}
        </div>
      )}
    </FieldFrame>
  );
}

export function PasswordField({ label, hint, error, optional, onChange, ...input }: TextProps) {
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <FieldFrame label={label} hint={hint} error={error} optional={optional ?? false}>
      {(aria) => (
        <div className="relative">
          <input
            autoComplete="off"
            spellCheck={false}
            {...input}
            {...aria}
            type={shown ? 'text' : 'password'}
            className="field pr-11"
            onChange={(event) => onChange(event.target.value)}
          />
          <button
            type="button"
            aria-label={shown ? `Hide ${label.toLowerCase()}` : `Show ${label.toLowerCase()}`}
            className="absolute top-1/2 right-0.5 grid size-8 -translate-y-1/2 place-items-center rounded text-dim hover:text-ink pointer-coarse:size-11"
            onClick={() => setShown(!shown)}
          >
            <Icon aria-hidden className="size-4" />
          </button>
        </div>
      )}
    </FieldFrame>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly { value: string; label: string }[];
  hint?: ReactNode;
  error?: string | undefined;
  onChange: (value: string) => void;
}

export function SelectField({ label, value, options, hint, error, onChange }: SelectProps) {
  return (
    <FieldFrame label={label} hint={hint} error={error}>
      {(aria) => (
        <div className="relative">
          <select
            {...aria}
            className="field appearance-none pr-9"
            value={value}
            onChange={(event) => onChange(event.target.value)}
          >
            {options.map((option) => (
              <option key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </select>
          <ChevronDown
            aria-hidden
            className="pointer-events-none absolute top-1/2 right-3 size-4 -translate-y-1/2 text-dim"
          />
        </div>
      )}
    </FieldFrame>
  );
}

interface CheckProps {
  label: string;
  checked: boolean;
  hint?: ReactNode;
  onChange: (checked: boolean) => void;
}

export function CheckField({ label, checked, hint, onChange }: CheckProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-3 py-1 text-sm pointer-coarse:py-3">
      <input
        id={id}
        type="checkbox"
        className="mt-0.5 size-4 shrink-0 accent-accent pointer-coarse:size-5"
        checked={checked}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.checked)}
      />
      <div>
        <label htmlFor={id}>{label}</label>
        {hint !== undefined && (
          <p id={`${id}-hint`} className="text-xs text-dim">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

interface RangeProps {
  label: string;
  value: number;
  step?: number;
  shown: string;
  hint?: ReactNode;
  error?: string | undefined;
  onChange: (value: number) => void;
}

export function RangeField({ label, value, step = 0.05, shown, hint, error, onChange }: RangeProps) {
  return (
    <FieldFrame label={label} hint={hint} error={error}>
      {(aria) => (
        <div className="flex items-center gap-3">
          <input
            {...aria}
            type="range"
            min={0}
            max={1}
            step={step}
            value={value}
            aria-valuetext={shown}
            className="h-9 min-w-0 flex-1 accent-accent pointer-coarse:h-11"
            onChange={(event) => onChange(event.target.valueAsNumber)}
          />
          <output className="num w-14 shrink-0 text-right text-sm text-dim">{shown}</output>
        </div>
      )}
    </FieldFrame>
  );
}

/** What is wrong with the form as a whole. */
export function FormError({ children }: { children: ReactNode }) {
  if (children === null || children === undefined || children === '') return null;
  return (
    <p role="alert" className="rounded-lg bg-danger-soft px-3 py-2 text-sm text-danger">
      {children}
    </p>
  );
}
