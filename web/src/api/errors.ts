/** What can go wrong between this page and its server. */

export interface FieldProblem {
  /** JSON Pointer (RFC 6901) into the body that was sent. */
  pointer: string;
  message: string;
}

interface Problem {
  title: string;
  detail: string;
  requestId: string | null;
  fields: FieldProblem[];
}

/** The server refused or failed; the words are its own (RFC 9457). */
export class ApiError extends Error {
  readonly status: number;
  readonly fields: readonly FieldProblem[];
  readonly requestId: string | null;

  constructor(status: number, problem: Problem) {
    super(problem.detail || problem.title);
    this.name = 'ApiError';
    this.status = status;
    this.fields = problem.fields;
    this.requestId = problem.requestId;
  }
}

/** There was no answer. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super('The server does not answer.', { cause });
    this.name = 'Unreachable';
  }
}

export async function problemOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  return new ApiError(response.status, readProblem(body, response.statusText || `Status ${response.status}`));
}

export function readProblem(body: unknown, fallback: string): Problem {
  const record = isRecord(body) ? body : {};
  return {
    title: text(record.title) ?? fallback,
    detail: text(record.detail) ?? '',
    requestId: text(record.request_id),
    fields: Array.isArray(record.errors) ? record.errors.flatMap(fieldProblem) : [],
  };
}

export function isStatus(error: unknown, ...statuses: number[]): error is ApiError {
  return error instanceof ApiError && statuses.includes(error.status);
}

export function explain(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong.';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldProblem(item: unknown): FieldProblem[] {
  if (!isRecord(item)) return [];
  const pointer = text(item.pointer);
  const message = text(item.message);
  return pointer === null || message === null ? [] : [{ pointer, message }];
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
