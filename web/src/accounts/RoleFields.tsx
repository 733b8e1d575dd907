import { useQuery } from '@tanstack/react-query';
import { templatesQuery } from '../api/queries';
import type { Role } from '../api/types';
import { SelectField, TextField } from '../forms/Input';
import type { Errors } from '../forms/schema';
import { ROLES } from './model';

interface Props {
  role: Role;
  groups: string;
  errors: Errors;
  onChange: (change: { role?: Role; groups?: string }) => void;
}

/** What somebody may do, and with which sources. */
export function RoleFields({ role, groups, errors, onChange }: Props) {
  const templates = useQuery(templatesQuery).data ?? [];
  const known = [...new Set(templates.flatMap((template) => template.groups))].sort();
  return (
    <>
      <SelectField
        label="Role"
        value={role}
        options={ROLES}
        error={errors.role}
        onChange={(next) => onChange({ role: next as Role })}
      />
      <TextField
        label="Groups"
        optional
        placeholder={known.join(', ')}
        hint="Separated by commas. Limits what is seen to sources of these groups; without any, all are."
        error={errors.groups}
        value={groups}
        onChange={(next) => onChange({ groups: next })}
      />
    </>
  );
}
