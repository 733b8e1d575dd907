/** Reads `Name: value` lines, as in an HTTP head; a line without a name is no pair. */
export function readPairs(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    return colon > 0 && name !== '' ? [[name, line.slice(colon + 1).trim()]] : [];
  });
  return Object.fromEntries(pairs);
}
