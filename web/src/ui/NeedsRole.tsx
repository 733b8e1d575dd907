import { Lock } from 'lucide-react';
import type { Role } from '../api/types';
import { Empty } from './parts';

export function NeedsRole({ needed, alone = false }: { needed: Role; alone?: boolean }) {
  return (
    <Empty
      {...(alone && { heading: 'h1' as const })}
      icon={Lock}
      title={`This page needs the role ${needed}`}
    >
      An administrator can give it to you.
    </Empty>
  );
}
