import { useState, type SyntheticEvent } from 'react';

/** For a `details` element: it unfolds when it must be seen, and never folds while somebody is typing in it. */
export function useFold(mustBeSeen: boolean) {
  const [isOpen, setOpen] = useState(mustBeSeen);
  const [was, setWas] = useState(mustBeSeen);
  if (was !== mustBeSeen) {
    setWas(mustBeSeen);
    if (mustBeSeen) setOpen(true);
  }
  return {
    open: isOpen,
    onToggle: (event: SyntheticEvent<HTMLDetailsElement>) => setOpen(event.currentTarget.open),
  };
}
