/** Who is signed in, and what they may do. The server decides; pages only hide what it would refuse. */

import { useQuery } from '@tanstack/react-query';
import { meQuery } from './api/queries';
import type { Role } from './api/types';
import { may } from './role';

export function useMay(needed: Role): boolean {
  return may(useQuery(meQuery).data?.role, needed);
}
