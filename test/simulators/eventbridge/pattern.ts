/**
 * Event patterns of EventBridge rules and filters of EventBridge Pipes, as their user guide describes them ("Creating
 * EventBridge event patterns", "Comparison operators"). What it does not know, it refuses: a pattern that the real
 * service reads in another way must not pass here.
 */

/**
 * Whether the event matches the pattern.
 * @throws {Error} for a pattern that EventBridge refuses, or for an operator that is not supported here.
 */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  return matchesMembers(pattern, [event], 'the pattern');
}

/** The members of a pattern must match in one and the same of the objects, as those of an array of objects do. */
function matchesMembers(pattern: unknown, candidates: readonly unknown[], where: string): boolean {
  if (!isObject(pattern)) throw new Error(`${where} must be an object or an array`);
  const members = Object.entries(pattern);
  if (members.length === 0) throw new Error(`${where} is empty`);
  // Each member is read in each case, so that a fault in the pattern shows whatever the event holds.
  const objects = candidates.filter(isObject);
  const matched = members.map(([name, member]) => {
    if (name.startsWith('$')) throw new Error(`${where}: ${name} is not supported here`);
    const path = `${where}.${name}`;
    return objectsOrNone(objects).map((object) => {
      const value = object === undefined ? undefined : object[name];
      return Array.isArray(member)
        ? matchesAny(member, leavesOf(value), path)
        : matchesMembers(member, elementsOf(value), path);
    });
  });
  return objectsOrNone(objects).some((_object, index) => matched.every((results) => results[index] === true));
}

/** Where the event has no object, its members are absent, which `exists: false` matches. */
const objectsOrNone = (objects: readonly JsonObject[]): readonly (JsonObject | undefined)[] =>
  objects.length === 0 ? [undefined] : objects;

type JsonObject = Readonly<Record<string, unknown>>;
type Leaf = string | number | boolean | null;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const elementsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Only values that are no object can be compared; an array offers each of its elements. */
const leavesOf = (value: unknown): readonly Leaf[] => elementsOf(value).flatMap((one) => (isLeaf(one) ? [one] : []));

const isLeaf = (value: unknown): value is Leaf =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

function matchesAny(conditions: readonly unknown[], leaves: readonly Leaf[], where: string): boolean {
  if (conditions.length === 0) throw new Error(`${where} is an empty array`);
  return conditions.map((condition) => matchesCondition(condition, leaves, where)).includes(true);
}

function matchesCondition(condition: unknown, leaves: readonly Leaf[], where: string): boolean {
  if (isLeaf(condition)) return leaves.includes(condition);
  if (!isObject(condition)) throw new Error(`${where} holds an array in an array`);
  const [operator, ...others] = Object.entries(condition);
  if (operator === undefined || others.length > 0) throw new Error(`${where} must hold one operator in each object`);
  const [name, operand] = operator;
  switch (name) {
    case 'exists':
      if (typeof operand !== 'boolean') throw new Error(`${where}: exists must be true or false`);
      return leaves.length > 0 === operand;
    case 'anything-but': {
      const differs = otherThan(operand, where);
      // A field that is absent is not anything but the value: it matches nothing.
      return leaves.some(differs);
    }
    default: {
      const matches = comparison(name, operand, where);
      return leaves.some(matches);
    }
  }
}

type Comparison = (leaf: Leaf) => boolean;

function otherThan(operand: unknown, where: string): Comparison {
  if (isObject(operand)) {
    const [operator, ...others] = Object.entries(operand);
    if (operator === undefined || others.length > 0) throw new Error(`${where}: anything-but must hold one operator`);
    const matches = comparison(operator[0], operator[1], where);
    return (leaf) => !matches(leaf);
  }
  const refused = elementsOf(operand);
  if (refused.length === 0 || refused.some((value) => typeof value !== 'string' && typeof value !== 'number')) {
    throw new Error(`${where}: anything-but must hold texts or numbers`);
  }
  return (leaf) => !refused.includes(leaf);
}

function comparison(operator: string, operand: unknown, where: string): Comparison {
  if (operator === 'numeric') return numeric(operand, where);
  if (typeof operand !== 'string' || operand === '') throw new Error(`${where}: ${operator} must hold a text`);
  switch (operator) {
    case 'prefix':
      return (leaf) => typeof leaf === 'string' && leaf.startsWith(operand);
    case 'suffix':
      return (leaf) => typeof leaf === 'string' && leaf.endsWith(operand);
    case 'equals-ignore-case':
      return (leaf) => typeof leaf === 'string' && leaf.toLowerCase() === operand.toLowerCase();
    default:
      throw new Error(`${where}: the operator ${operator} is not supported here`);
  }
}

const NUMERIC: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

/** `[">", 0, "<=", 5]`: one or two bounds. A number in a text, as DynamoDB writes it, is no number. */
function numeric(operand: unknown, where: string): Comparison {
  const parts: readonly unknown[] = Array.isArray(operand) ? operand : [];
  if (parts.length !== 2 && parts.length !== 4) throw new Error(`${where}: numeric must hold one or two bounds`);
  const bounds = [parts.slice(0, 2), parts.slice(2)].filter(({ length }) => length > 0);
  const checks = bounds.map(([operator, bound]) => {
    const compare = typeof operator === 'string' ? NUMERIC[operator] : undefined;
    if (compare === undefined || typeof bound !== 'number') throw new Error(`${where}: numeric cannot be read`);
    return (leaf: Leaf): boolean => typeof leaf === 'number' && compare(leaf, bound);
  });
  return (leaf) => checks.every((check) => check(leaf));
}
