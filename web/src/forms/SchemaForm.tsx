import { ChevronRight } from 'lucide-react';
import { CheckField, SelectField, TextField } from './Input';
import { ListField, MapField, RowsField } from './Lists';
import { SecretField } from './SecretField';
import { FormSection } from './Section';
import { useFold } from './useFold';
import { partsOf, setIn, type Errors, type Field, type Values } from './schema';

interface Props {
  fields: readonly Field[];
  values: Values;
  errors: Errors;
  /** Names of secrets that the server keeps unless they are typed anew. */
  stored: readonly string[];
  onChange: (values: Values) => void;
}

/** The main fields, those few people need folded below them, and the rest in parts with titles. */
export function SchemaForm({ fields, values, errors, stored, onChange }: Props) {
  const { main, advanced, sections } = partsOf(fields);
  const advancedFold = useFold(hasError(advanced, errors));
  const grid = (part: readonly Field[], className = '') => (
    <div className={`grid grid-cols-2 items-start gap-x-4 gap-y-5 ${className}`}>
      {part.map((field) => (
        <div key={field.name} className={field.half ? 'max-[22rem]:col-span-2' : 'col-span-2'}>
          <Control
            field={field}
            value={values[field.name]}
            error={errors[field.name]}
            stored={stored.includes(field.name)}
            onChange={(value) => onChange({ ...values, [field.name]: value })}
          />
        </div>
      ))}
    </div>
  );
  return (
    <>
      <div className="space-y-5">
        {main.length > 0 && grid(main)}
        {advanced.length > 0 && (
          <details className="group" {...advancedFold}>
            <summary className="flex items-center gap-2 rounded py-1 text-sm text-dim hover:text-ink pointer-coarse:py-3">
              <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
              More options
            </summary>
            {grid(advanced, 'pt-4')}
          </details>
        )}
      </div>
      {sections.length > 0 && (
        <div className="space-y-3">
          {sections.map(({ title, fields: part }) => {
            const count = setIn(part, values, stored);
            return (
              <FormSection
                key={title}
                title={title}
                aside={count > 0 ? `${count} set` : undefined}
                open={hasError(part, errors)}
              >
                {grid(part)}
              </FormSection>
            );
          })}
        </div>
      )}
    </>
  );
}

function hasError(fields: readonly Field[], errors: Errors): boolean {
  return fields.some(({ name }) => name in errors);
}

interface ControlProps {
  field: Field;
  value: unknown;
  error: string | undefined;
  stored: boolean;
  onChange: (value: unknown) => void;
}

export function Control({ field, value, error, stored, onChange }: ControlProps) {
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
          value={textOf(value)}
          options={field.options.map((option) => ({
            value: String(option.value ?? ''),
            label: option.label,
          }))}
          onChange={(chosen) =>
            onChange(field.options.find((option) => String(option.value ?? '') === chosen)?.value)
          }
        />
      );
    case 'secret':
      return <SecretField field={field} value={value} error={error} stored={stored} onChange={onChange} />;
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
      return <ListField field={field} value={value} error={error} onChange={onChange} />;
    case 'map':
      return <MapField field={field} value={value} error={error} stored={stored} onChange={onChange} />;
    case 'rows':
      return <RowsField field={field} value={value} error={error} stored={stored} onChange={onChange} />;
    case 'unsupported':
      return <p className="text-sm text-dim">{label} can be set through the interface for programs only.</p>;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
