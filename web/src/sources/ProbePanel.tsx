import { useState, type SubmitEvent } from 'react';
import type { Kind } from '../api/types';
import { TextField } from '../forms/Input';
import type { Values } from '../forms/schema';
import { configOf } from './probe';
import { ProbeResult, useProbe } from './ProbeResult';

interface Props {
  kinds: readonly Kind[];
  /** The person takes what was found. */
  onTake: (kind: string, config: Values) => void;
}

/** Takes an address, finds out what it is, and shows a picture of it. */
export function ProbePanel({ kinds, onTake }: Props) {
  const [address, setAddress] = useState('');
  const probe = useProbe();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    probe.start({ url: address });
  };
  return (
    <section aria-labelledby="probe" className="card mx-4 mb-6 max-w-[512px] p-4 md:mx-6">
      <h2 id="probe" className="mb-3 text-sm font-medium">
        Paste an address to begin
      </h2>
      <form noValidate onSubmit={submit} className="flex flex-wrap items-end gap-2">
        <div className="min-w-48 flex-1">
          <TextField
            label="Address to try"
            inputMode="url"
            placeholder="rtsp://192.168.1.20/stream1"
            maxLength={4096}
            value={address}
            onChange={setAddress}
          />
        </div>
        <button type="submit" className="btn btn-primary" disabled={probe.isBusy || address.trim() === ''}>
          {probe.isBusy ? 'Trying…' : 'Try it'}
        </button>
      </form>
      <p className="mt-2 text-xs text-dim">
        Of a camera, a page, a picture, a document or a video; or the path of a file on the server.
      </p>
      <ProbeResult
        probe={probe}
        kinds={kinds}
        action={(found) => (
          <button
            type="button"
            className="btn btn-primary"
            onClick={() => onTake(found.kind, configOf(found, probe.asked?.url ?? ''))}
          >
            Use this
          </button>
        )}
      />
    </section>
  );
}
