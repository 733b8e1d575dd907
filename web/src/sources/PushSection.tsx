import { Link } from '@tanstack/react-router';
import type { Template } from '../api/types';
import { useMay } from '../session';
import { CopyField } from '../ui/CopyField';
import { Section } from '../ui/parts';
import { curlLine, pushAddress } from './push';

/** How a program sends pictures to a source that fetches none; for operators. */
export function PushSection({ template }: { template: Template }) {
  const isAdmin = useMay('admin');
  const address = pushAddress(location.origin, template.id);
  return (
    <Section title="Sending pictures">
      <div className="space-y-4 p-4 text-sm">
        <p className="text-dim">
          Send each picture by <code>POST</code>, as JPEG, PNG or WebP of at most 32 MiB. It is shown at once.
        </p>
        <CopyField label="Address" rows={2} value={address} />
        <CopyField
          label="Command"
          rows={5}
          hint="Put your key for KEY, and name the type of your picture if it is no JPEG."
          value={curlLine(address)}
        />
        <p className="text-xs text-dim">
          The header <code>x-api-key</code> holds an API key with the role of an operator.{' '}
          {isAdmin ? (
            <Link to="/settings/keys" className="rounded text-accent underline underline-offset-2">
              Make one
            </Link>
          ) : (
            'An administrator can make one.'
          )}
        </p>
      </div>
    </Section>
  );
}
