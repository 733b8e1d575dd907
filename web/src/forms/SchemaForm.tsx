import { ChevronRight, Plus, X } from 'lucide-react';
import { CheckField, FieldFrame, PasswordField, SelectField, TextField } from './Input';
import { readPairs } from './pairs';
import type { Errors, Field, Values } from './schema';

interface Props {
  fields: readonly Field[];
  values: Values;
  errors: Errors;
  /** Secrets are kept by the server unless they are typed anew. */
  editing: boolean;
  onChange: (values: Values) => void;
}

export function SchemaForm({ fields, values, errors, editing, onChange }: Props) {
  const control = (field: Field) => (
    <div key={field.name} className={field.half ? 'sm:col-span-1' : 'sm:col-span-2'}>
      <Control
        field={field}
        value={values[field.name]}
        error={errors[field.name]}
        editing={editing}
        onChange={(value) => onChange({ ...values, [field.name]: value })}
      />
    </div>
  );
  const advanced = fields.filter((field) => field.advanced);
  return (
    <div className="grid gap-x-4 gap-y-5 sm:grid-cols-2">
      {fields.filter((field) => !field.advanced).map(control)}
      {advanced.length > 0 && (
        <details className="group sm:col-span-2" open={advanced.some(({ name }) => name in errors)}>
          <summary className="flex items-center gap-2 rounded py-1 text-sm text-dim hover:text-ink pointer-coarse:py-3">
            <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
            More options ({advanced.length})
          </summary>
          <div className="grid gap-x-4 gap-y-5 pt-3 sm:grid-cols-2">{advanced.map(control)}</div>
        </details>
      )}
    </div>
  );
}

interface ControlProps {
  field: Field;
  value: unknown;
  error: string | undefined;
  editing: boolean;
  onChange: (value: unknown) => void;
}

function Control({ field, value, error, editing, onChange }: ControlProps) {
  const { label, hint, placeholder, unit } = field;
  const optional = !field.required && field.initial === '';
  switch (field.type) {
    case 'boolean':
      return <CheckField label={label} hint={hint} checked={value === true} onChange={onChange} />;
    case 'choice':
      return (
        <SelectField
          label={label}
          hint={hint}
          error={error}
          value={String(value)}
          options={field.options.map((option) => ({ value: String(option), label: String(option) }))}
          onChange={(chosen) => onChange(field.options.find((option) => String(option) === chosen))}
        />
      );
    case 'secret':
      return (
        <PasswordField
          label={label}
          hint={hint}
          error={error}
          optional={optional}
          autoComplete="new-password"
          placeholder={editing ? 'Unchanged' : placeholder}
          value={textOf(value)}
          onChange={onChange}
        />
      );
    case 'number':
    case 'text':
      return (
        <TextField
          label={label}
          hint={hint}
          error={error}
          optional={optional}
          unit={unit}
          placeholder={placeholder}
          inputMode={field.type === 'number' ? 'decimal' : undefined}
          required={field.required}
          value={textOf(value)}
          onChange={onChange}
        />
      );
    case 'list':
      return <ListField field={field} items={stringsOf(value)} error={error} onChange={onChange} />;
    case 'map':
      return <MapField field={field} value={value} error={error} editing={editing} onChange={onChange} />;
    case 'unsupported':
      return <p className="text-sm text-dim">{label} can be set through the interface for programs only.</p>;
  }
}

interface ListProps {
  field: Field;
  items: readonly string[];
  error: string | undefined;
  onChange: (items: string[]) => void;
}

function ListField({ field, items, error, onChange }: ListProps) {
  return (
    <FieldFrame label={field.label} hint={field.hint} error={error} optional={!field.required}>
      {(aria) => (
        <div className="space-y-2">
          {items.map((item, index) => (
            <div key={index} className="flex gap-2">
              <input
                {...(index === 0 ? aria : { 'aria-label': `${field.label} ${index + 1}` })}
                className="field"
                value={item}
                onChange={(event) => onChange(items.with(index, event.target.value))}
              />
              <RemoveButton
                label={`Remove ${field.label} ${index + 1}`}
                onClick={() => onChange(items.toSpliced(index, 1))}
              />
            </div>
          ))}
          <button
            {...(items.length === 0 ? { id: aria.id } : {})}
            type="button"
            className="btn"
            onClick={() => onChange([...items, ''])}
          >
            <Plus aria-hidden className="size-4" />
            Add
          </button>
        </div>
      )}
    </FieldFrame>
  );
}

interface MapProps {
  field: Field;
  value: unknown;
  editing: boolean;
  error: string | undefined;
  onChange: (value: Record<string, string>) => void;
}

/** Names and values, one pair on a line: `Name: value`, as in an HTTP head. */
function MapField({ field, value, error, editing, onChange }: MapProps) {
  const lines = Object.entries((value ?? {}) as Record<string, string>).map(
    ([name, item]) => `${name}: ${item}`,
  );
  return (
    <FieldFrame
      label={field.label}
      hint={[field.hint, 'One on each line, as Name: value.'].filter(Boolean).join(' ')}
      error={error}
      optional={!field.required}
    >
      {(aria) => (
        <textarea
          {...aria}
          rows={3}
          spellCheck={false}
          className="field font-mono text-sm"
          placeholder={editing && field.secret ? 'Unchanged' : ''}
          defaultValue={lines.join('\n')}
          onChange={(event) => onChange(readPairs(event.target.value))}
        />
      )}
    </FieldFrame>
  );
}

function RemoveButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" className="btn btn-icon" aria-label={label} onClick={onClick}>
      <X aria-hidden className="size-4" />
    </button>
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
