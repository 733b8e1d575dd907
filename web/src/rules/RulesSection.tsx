import { useQuery } from '@tanstack/react-query';
import { ListFilter, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { channelsQuery } from '../api/queries';
import type { Rule, Template } from '../api/types';
import { usePatchSource } from '../sources/mutations';
import { Confirm } from '../ui/Dialog';
import { Empty, Section } from '../ui/parts';
import { Switch } from '../ui/Switch';
import { ruleInWords } from './model';
import { RuleDialog } from './RuleDialog';

export function RulesSection({ template }: { template: Template }) {
  const [editing, setEditing] = useState<Rule | 'new' | null>(null);
  const rules = template.rules ?? [];
  return (
    <Section
      title="Rules"
      aside={
        rules.length > 0 && (
          <button type="button" className="btn btn-quiet" onClick={() => setEditing('new')}>
            <Plus aria-hidden className="size-4" />
            Add rule
          </button>
        )
      }
    >
      {rules.length > 0 ? (
        <ul>
          {rules.map((rule) => (
            <RuleRow key={rule.id} rule={rule} template={template} onEdit={() => setEditing(rule)} />
          ))}
        </ul>
      ) : (
        <Empty
          small
          icon={ListFilter}
          title="No rules yet"
          action={
            <button type="button" className="btn" onClick={() => setEditing('new')}>
              <Plus aria-hidden className="size-4" />
              Add rule
            </button>
          }
        >
          A rule decides which events of this source tell somebody, and how.
        </Empty>
      )}
      {editing !== null && (
        <RuleDialog
          template={template}
          {...(editing !== 'new' && { rule: editing })}
          onClose={() => setEditing(null)}
        />
      )}
    </Section>
  );
}

interface RowProps {
  rule: Rule;
  template: Template;
  onEdit: () => void;
}

function RuleRow({ rule, template, onEdit }: RowProps) {
  const channels = useQuery(channelsQuery).data ?? [];
  const patch = usePatchSource(template);
  const [asking, setAsking] = useState(false);
  const others = (template.rules ?? []).filter(({ id }) => id !== rule.id);
  const names = channels.filter(({ id }) => rule.channels.includes(id)).map(({ name }) => name);
  const toggle = (enabled: boolean) =>
    patch.mutate({ rules: template.rules?.map((one) => (one.id === rule.id ? { ...one, enabled } : one)) });
  return (
    <li className="flex items-center gap-3 border-b border-line py-2 pr-2 pl-4 last:border-0">
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{rule.name}</p>
        <p className="text-xs text-dim">{ruleInWords(rule)}</p>
        <p className="text-xs text-dim">
          {names.length > 0 ? `Tells ${names.join(', ')}` : 'Tells nobody: choose a channel'}
        </p>
      </div>
      <Switch
        label={`${rule.name} is on`}
        checked={rule.enabled}
        disabled={patch.isPending}
        onChange={toggle}
      />
      <div className="flex">
        <button
          type="button"
          className="btn btn-icon btn-quiet"
          aria-label={`Edit ${rule.name}`}
          onClick={onEdit}
        >
          <Pencil aria-hidden className="size-4" />
        </button>
        <button
          type="button"
          className="btn btn-icon btn-quiet"
          aria-label={`Delete ${rule.name}`}
          onClick={() => setAsking(true)}
        >
          <Trash2 aria-hidden className="size-4" />
        </button>
      </div>
      {asking && (
        <Confirm
          title={`Delete ${rule.name}?`}
          action="Delete rule"
          busy={patch.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => patch.mutate({ rules: others }, { onSettled: () => setAsking(false) })}
        >
          Alerts it has made already stay.
        </Confirm>
      )}
    </li>
  );
}
