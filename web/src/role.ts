import type { Role } from './api/types';

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

export function may(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && RANK[role] >= RANK[needed];
}
