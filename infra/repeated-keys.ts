/** Finds keys that a JSON text gives twice in one object: JSON.parse keeps the last one without an error. */

/** Strings, punctuation, and everything else of valid JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

interface Container {
  /** Undefined for a list. */
  readonly keys: Set<string> | undefined;
  readonly path: string;
  /** The key, or the index, that is being read. */
  current: string | number;
}

/** The paths of the keys that an object has twice. The text must be valid JSON. */
export function repeatedKeys(json: string): string[] {
  const repeated: string[] = [];
  const open: Container[] = [];
  let wantsKey = false;
  for (const [token] of json.matchAll(TOKENS)) {
    const container = open.at(-1);
    if (token === '{' || token === '[') {
      const path = container === undefined ? '' : pathOf(container);
      open.push({ keys: token === '{' ? new Set() : undefined, path, current: token === '{' ? '' : 0 });
      wantsKey = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ',' && container !== undefined) {
      wantsKey = container.keys !== undefined;
      if (typeof container.current === 'number') container.current++;
    } else if (token === ':') {
      wantsKey = false;
    } else if (wantsKey && container?.keys !== undefined) {
      const key = String(JSON.parse(token));
      container.current = key;
      if (container.keys.has(key)) repeated.push(pathOf(container));
      container.keys.add(key);
    }
  }
  return repeated;
}

const pathOf = ({ path, current }: Container): string => (path === '' ? String(current) : `${path}.${current}`);
