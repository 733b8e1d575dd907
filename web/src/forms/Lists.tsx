/** Controls for fields that hold several values. */

import { Plus, X } from 'lucide-react';
import { isRecord } from '../api/errors';
import { FieldFrame } from './Input';
import { readPairs } from './pairs';
import { initialValues, type Field, type Values } from './schema';
import { Control } from './SchemaForm';
import { StoredSecret } from './SecretField';

interface Props {
  field: Field;
  value: unknown;
  error: string | undefined;
  onChange: (value: unknown) => void;
}

export function ListField({ field, value, error, onChange }: Props) {
  const items = Array.isArray(value) ? value.map(String) : [];
  return (
    <FieldFrame label={field.label} hint={field.hint} error={error} optional={!field.required}>
      {(aria) => (
        <div className="space-y-2">
          {items.map((item, index) => (
            <div key={index} className="flex gap-2">
              <input
                {...(index === 0 ? aria : { 'aria-label': `${field.label} ${index + 1}` })}
                className="field"
                placeholder={field.placeholder}
                spellCheck={false}
                autoCapitalize="off"
                value={item}
                onChange={(event) => onChange(items.with(index, event.target.value))}
              />
              <RemoveButton
                label={`Remove ${field.label} ${index + 1}`}
                onClick={() => onChange(items.toSpliced(index, 1))}
              />
            </div>
          ))}
          <AddButton
            {...(items.length === 0 && { id: aria.id })}
            label={field.label}
            onClick={() => onChange([...items, ''])}
          />
        </div>
      )}
    </FieldFrame>
  );
}

interface StorableProps extends Props {
  stored: boolean;
}

/** Names and values, one pair on a line: `Name: value`, as in an HTTP head. */
export function MapField({ field, value, error, stored, onChange }: StorableProps) {
  const lines = Object.entries((value ?? {}) as Record<string, string>).map(
    ([name, item]) => `${name}: ${item}`,
  );
  const isRemoved = stored && value === null;
  return (
    <div>
      <FieldFrame
        label={field.label}
        hint={[field.hint, 'One on each line, as Name: value.'].filter(Boolean).join(' ')}
        error={error}
        optional={!field.required && !stored}
      >
        {(aria) => (
          <textarea
            {...aria}
            rows={3}
            spellCheck={false}
            className="field font-mono text-sm"
            placeholder={isRemoved ? 'Removed when you save' : stored ? 'Kept as it is' : ''}
            defaultValue={lines.join('\n')}
            onChange={({ target }) =>
              onChange(stored && target.value.trim() === '' ? undefined : readPairs(target.value))
            }
          />
        )}
      </FieldFrame>
      {stored && <StoredSecret label={field.label} isRemoved={isRemoved} onChange={onChange} />}
    </div>
  );
}

/** Several things that each have the same few fields. Adding one replaces those that are stored. */
export function RowsField({ field, value, error, stored, onChange }: StorableProps) {
  const columns = field.type === 'rows' ? field.columns : [];
  const rows = Array.isArray(value) ? value.map((row): Values => (isRecord(row) ? row : {})) : [];
  const isRemoved = stored && value === null;
  return (
    <fieldset aria-invalid={error === undefined ? undefined : true} tabIndex={-1}>
      <legend className="mb-1.5 text-sm font-medium">
        {field.label}
        {!field.required && !stored && <span className="ml-1.5 font-normal text-faint">optional</span>}
      </legend>
      <div className="space-y-2">
        {rows.map((row, index) => (
          <div key={index} className="flex items-start gap-2 rounded-lg border border-line p-3">
            <div className="grid min-w-0 flex-1 gap-3 sm:grid-cols-2">
              {columns.map((column) => (
                <Control
                  key={column.name}
                  field={column}
                  value={row[column.name]}
                  error={undefined}
                  stored={false}
                  onChange={(changed) => onChange(rows.with(index, { ...row, [column.name]: changed }))}
                />
              ))}
            </div>
            <RemoveButton
              label={`Remove ${field.label} ${index + 1}`}
              onClick={() => onChange(rows.toSpliced(index, 1))}
            />
          </div>
        ))}
        <AddButton label={field.label} onClick={() => onChange([...rows, initialValues(columns)])} />
      </div>
      {field.hint !== undefined && <p className="mt-1.5 text-xs text-dim">{field.hint}</p>}
      {stored && rows.length === 0 && (
        <p className="mt-1.5 text-xs text-dim">
          {isRemoved ? 'Those that are stored are removed when you save.' : 'Some are stored, and kept.'}
        </p>
      )}
      {error !== undefined && <p className="mt-1.5 text-xs text-danger">{error}</p>}
      {stored && <StoredSecret label={field.label} isRemoved={isRemoved} onChange={onChange} />}
    </fieldset>
  );
}

function AddButton({ id, label, onClick }: { id?: string; label: string; onClick: () => void }) {
  return (
    <button id={id} type="button" className="btn" onClick={onClick}>
      <Plus aria-hidden className="size-4" />
      Add<span className="sr-only"> to {label}</span>
    </button>
  );
}

function RemoveButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" className="btn btn-icon" aria-label={label} onClick={onClick}>
      <X aria-hidden className="size-4" />
    </button>
  );
}
