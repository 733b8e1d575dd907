import { Copy } from 'lucide-react';
import { useRef } from 'react';
import { FieldFrame } from '../forms/Input';
import { toast } from './toasts';

interface Props {
  label: string;
  hint?: string;
  value: string;
  /** Lines that are shown at once; what is longer is wrapped. */
  rows?: number;
}

/** A text to be used elsewhere, with a button that copies it. */
export function CopyField({ label, hint, value, rows = 1 }: Props) {
  const text = useRef<HTMLTextAreaElement>(null);
  const copy = async () => {
    text.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      toast(`${label} was copied.`);
    } catch {
      // Without a secure context, or without leave, a page may not copy; people may.
      toast(`${label} is selected: copy it with your keyboard.`);
    }
  };
  return (
    <FieldFrame label={label} hint={hint}>
      {(aria) => (
        <div className="flex items-start gap-2">
          <textarea
            ref={text}
            {...aria}
            readOnly
            rows={rows}
            spellCheck={false}
            className="field resize-none font-mono text-xs leading-5 break-all"
            value={value}
            onFocus={(event) => event.target.select()}
          />
          <button type="button" className="btn btn-icon" title="Copy" onClick={() => void copy()}>
            <Copy aria-hidden className="size-4" />
            <span className="sr-only">Copy {label.toLowerCase()}</span>
          </button>
        </div>
      )}
    </FieldFrame>
  );
}
