/** Writes to a source. Each names the version it was made from, so that nobody's change is lost. */

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf } from '../api/client';
import { explain, isStatus } from '../api/errors';
import { keys } from '../api/queries';
import type { Template, TemplateForm } from '../api/types';
import { toast } from '../ui/toasts';

const CHANGED = 'Somebody else has just changed this source. It has been loaded anew: look, and try again.';

export async function createSource(body: TemplateForm): Promise<Template> {
  return (await bodyOf(api.POST('/api/templates', { body }))) as Template;
}

export async function replaceSource(id: string, version: number, body: TemplateForm): Promise<Template> {
  const params = { path: { template_id: id }, header: { 'if-match': etag(version) } };
  return (await bodyOf(api.PUT('/api/templates/{template_id}', { params, body }))) as Template;
}

/** Changes a few settings of a source (JSON Merge Patch, RFC 7396). */
export async function patchSource(
  { id, version }: Pick<Template, 'id' | 'version'>,
  body: Record<string, unknown>,
): Promise<Template> {
  const params = { path: { template_id: id }, header: { 'if-match': etag(version) } };
  const patch = body as Record<string, never>;
  return (await bodyOf(api.PATCH('/api/templates/{template_id}', { params, body: patch }))) as Template;
}

/** The same as a mutation that keeps the lists up to date and reports its failures. */
export function usePatchSource(template: Pick<Template, 'id' | 'version'>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: Record<string, unknown>) => patchSource(template, body),
    onSuccess: (changed) => {
      queryClient.setQueryData(keys.template(changed.id), changed);
      void queryClient.invalidateQueries({ queryKey: keys.templates, exact: true, refetchType: 'all' });
    },
    onError: (error) =>
      reportChanged(error) && void queryClient.invalidateQueries({ queryKey: keys.templates }),
  });
}

export function useRemoveSource({ id, version }: Pick<Template, 'id' | 'version'>, onRemoved: () => void) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const params = { path: { template_id: id }, header: { 'if-match': etag(version) } };
      await api.DELETE('/api/templates/{template_id}', { params });
    },
    onSuccess: () => {
      onRemoved();
      queryClient.removeQueries({ queryKey: keys.template(id) });
      void queryClient.invalidateQueries({ queryKey: keys.templates, exact: true, refetchType: 'all' });
    },
    onError: (error) =>
      reportChanged(error) && void queryClient.invalidateQueries({ queryKey: keys.templates }),
  });
}

function reportChanged(error: unknown): boolean {
  const changed = isStatus(error, 412);
  toast(changed ? CHANGED : explain(error), 'bad');
  return changed;
}

function etag(version: number): string {
  return `"${version}"`;
}
