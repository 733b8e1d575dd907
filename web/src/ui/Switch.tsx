interface Props {
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

export function Switch({ label, checked, disabled = false, onChange }: Props) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      aria-label={label}
      title={checked ? 'Switch off' : 'Switch on'}
      disabled={disabled}
      className="relative z-10 inline-grid h-9 place-items-center rounded-full disabled:opacity-60 pointer-coarse:h-11"
      onClick={() => onChange(!checked)}
    >
      <span
        aria-hidden
        className={`block h-5 w-9 rounded-full border transition-colors ${checked ? 'border-accent bg-accent' : 'border-[var(--gl-field-line)] bg-canvas'}`}
      >
        <span
          className={`mt-px block size-4 rounded-full transition-transform ${checked ? 'translate-x-[17px] bg-on-accent' : 'translate-x-px bg-[var(--gl-field-line)]'}`}
        />
      </span>
    </button>
  );
}
