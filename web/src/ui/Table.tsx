/** Tables that become cards where there is no room for columns. */

import type { ReactNode } from 'react';

export function Table({ head, children }: { head: ReactNode; children: ReactNode }) {
  return (
    <div className="card overflow-hidden">
      <table className="w-full text-left text-sm">
        <thead className="text-xs text-dim max-md:sr-only">
          <tr className="border-b border-line">{head}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Column({ children, hidden = false }: { children: ReactNode; hidden?: boolean }) {
  return (
    <th scope="col" className="h-10 px-4 font-medium">
      {hidden ? <span className="sr-only">{children}</span> : children}
    </th>
  );
}

export function Row({ children }: { children: ReactNode }) {
  return (
    <tr className="border-b border-line last:border-0 max-md:grid max-md:grid-cols-[minmax(0,1fr)_auto] max-md:py-3">
      {children}
    </tr>
  );
}

interface CellProps {
  /** What the row is about. */
  main?: boolean;
  /** Stands at the right edge. */
  action?: boolean;
  /** Said before the value where no column says it. */
  label?: string;
  children: ReactNode;
}

const PLACES = {
  main: 'max-md:col-start-1 md:max-w-80',
  action: 'text-right max-md:col-start-2 max-md:row-span-5 max-md:row-start-1 max-md:pl-0',
  value: 'text-dim max-md:col-start-1 max-md:text-xs',
};

export function Cell({ main = false, action = false, label, children }: CellProps) {
  const place = main ? PLACES.main : action ? PLACES.action : PLACES.value;
  return (
    <td className={`px-4 max-md:py-px md:py-2.5 ${place}`}>
      {label !== undefined && <span className="md:hidden">{label} </span>}
      {children}
    </td>
  );
}
