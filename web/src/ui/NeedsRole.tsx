import { Lock } from 'lucide-react';
import type { Role } from '../api/types';
import { Empty } from './parts';

export function NeedsRole({ needed }: { needed: Role }) {
  return (
    <Empty icon={Lock} title={`This page needs the role ${needed}`}>
      An administrator can give it to you.
    </Empty>
  );
}
