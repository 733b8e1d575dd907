/** Lists that come page by page. */

/** The most that one page may hold. */
export const WHOLE_PAGE = 200;

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** Reads a list to its end, for those that are needed whole. */
export async function readAll<T>(read: (cursor: string | null) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read(cursor);
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}

/** The part of a query that names the page to read. */
export function pageQuery(cursor: string | null, limit: number): { limit: number; cursor?: string } {
  return { limit, ...(cursor !== null && { cursor }) };
}
