/** JSON pointers (RFC 6901), by which the settings say where an answer holds something. */

/** The values on the way to the pointer's place: the whole JSON first, the value there last; shorter where the way ends. */
export function valuesOnTheWay(json: unknown, pointer: string): unknown[] {
  const values = [json];
  for (const name of namesOf(pointer)) {
    const owner: unknown = values.at(-1);
    if (typeof owner !== 'object' || owner === null || !Object.hasOwn(owner, name)) break;
    values.push(Reflect.get(owner, name));
  }
  return values;
}

/** Undefined where there is no such place. */
export function valueAt(json: unknown, pointer: string): unknown {
  return valuesOnTheWay(json, pointer)[namesOf(pointer).length];
}

export const namesOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
