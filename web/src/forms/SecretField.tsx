import { PasswordField } from './Input';
import type { Field } from './schema';

interface Props {
  field: Field;
  /** Undefined: what is stored is kept. Null: it is removed. */
  value: unknown;
  error: string | undefined;
  stored: boolean;
  onChange: (value: unknown) => void;
}

/** A secret is written and never shown: a stored one is kept, replaced by what is typed, or removed. */
export function SecretField({ field, value, error, stored, onChange }: Props) {
  const isRemoved = stored && value === null;
  return (
    <div>
      <PasswordField
        label={field.label}
        hint={field.hint}
        error={error}
        optional={!field.required && !stored}
        autoComplete="new-password"
        placeholder={isRemoved ? 'Removed when you save' : stored ? 'Kept as it is' : field.placeholder}
        value={typeof value === 'string' ? value : ''}
        onChange={(typed) => onChange(stored && typed === '' ? undefined : typed)}
      />
      {stored && <StoredSecret label={field.label} isRemoved={isRemoved} onChange={onChange} />}
    </div>
  );
}

interface StoredProps {
  label: string;
  isRemoved: boolean;
  onChange: (value: unknown) => void;
}

/** The way to remove a secret that the server keeps, and back. */
export function StoredSecret({ label, isRemoved, onChange }: StoredProps) {
  return (
    <button
      type="button"
      className="mt-1 min-h-6 rounded text-xs text-accent underline underline-offset-2 pointer-coarse:min-h-11"
      onClick={() => onChange(isRemoved ? undefined : null)}
    >
      {isRemoved ? 'Keep what is stored' : 'Remove what is stored'}
      <span className="sr-only">: {label}</span>
    </button>
  );
}
