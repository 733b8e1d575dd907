import { isRecord } from '../api/errors';
import type { Box } from '../api/types';

/** Reads the boxes of an event's metadata, whatever else may lie there. */
export function boxesOf(metadata: Readonly<Record<string, unknown>>): Box[] {
  const boxes = metadata.boxes;
  return Array.isArray(boxes) ? boxes.filter(isBox) : [];
}

function isBox(value: unknown): value is Box {
  return isRecord(value) && ['x', 'y', 'width', 'height'].every((name) => typeof value[name] === 'number');
}
