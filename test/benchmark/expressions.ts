/** The expressions of DynamoDB that this project's calls use. Each text is parsed once. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;
type Changes = Record<string, AttributeValue | undefined>;

/** What an expression is evaluated on: the item, and what stands for `#name` and `:value`. */
export interface Scope {
  readonly item: Item;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Item;
}
type Operand = (scope: Scope) => AttributeValue | undefined;
export type Condition = (scope: Scope) => boolean;
/** Returns the changed attributes; undefined removes one. */
export type Update = (scope: Scope) => Changes;

class Tokens {
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(expression: string) {
    this.#tokens = expression.match(/<>|<=|>=|[=<>(),+-]|[:#]?\w+|\S/g) ?? [];
  }

  get isAtEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  /** Whether the next token is this one; if so, it is taken. */
  takes(token: string): boolean {
    if (this.#tokens[this.#next]?.toUpperCase() !== token.toUpperCase()) return false;
    this.#next++;
    return true;
  }

  expect(token: string): void {
    if (!this.takes(token)) throw new Error(`"${token}" is missing before "${this.#tokens[this.#next] ?? 'the end'}"`);
  }

  take(): string {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw new Error('the expression ends too early');
    return token;
  }
}

const nameOf = (token: string, { names }: Scope): string => {
  if (!token.startsWith('#')) return token;
  const name = names[token];
  if (name === undefined) throw new Error(`${token} is not defined`);
  return name;
};

function parsed<Result>(read: (tokens: Tokens) => Result): (expression: string) => Result {
  const known = new Map<string, Result>();
  return (expression) => {
    const result = known.get(expression) ?? read(new Tokens(expression));
    known.set(expression, result);
    return result;
  };
}

export const conditionOf: (expression: string) => Condition = parsed((tokens) => {
  const condition = anyOf(tokens);
  if (!tokens.isAtEnd) throw new Error(`"${tokens.take()}" is not understood`);
  return condition;
});

function anyOf(tokens: Tokens): Condition {
  const conditions = [allOf(tokens)];
  while (tokens.takes('OR')) conditions.push(allOf(tokens));
  return (scope) => conditions.some((condition) => condition(scope));
}

function allOf(tokens: Tokens): Condition {
  const conditions = [single(tokens)];
  while (tokens.takes('AND')) conditions.push(single(tokens));
  return (scope) => conditions.every((condition) => condition(scope));
}

function single(tokens: Tokens): Condition {
  if (tokens.takes('(')) {
    const condition = anyOf(tokens);
    tokens.expect(')');
    return condition;
  }
  const first = tokens.take();
  if (tokens.takes('(')) return call(first, list(tokens));
  const left = operandOf(first);
  if (tokens.takes('IN')) {
    tokens.expect('(');
    const candidates = list(tokens).map(operandOf);
    return (scope) => candidates.some((candidate) => order(left(scope), candidate(scope)) === 0);
  }
  const holds = COMPARISONS[tokens.take()];
  if (holds === undefined) throw new Error('a comparison is missing');
  const right = operandOf(tokens.take());
  return (scope) => holds(order(left(scope), right(scope)));
}

/** By the order of both sides: NaN where one is missing or their types differ, and then only `<>` holds. */
const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** The tokens up to the closing bracket, which is taken, too. */
function list(tokens: Tokens): string[] {
  const taken = [tokens.take()];
  while (tokens.takes(',')) taken.push(tokens.take());
  tokens.expect(')');
  return taken;
}

function call(name: string, [first = '', second = '']: readonly string[]): Condition {
  const [operand, other] = [operandOf(first), operandOf(second)];
  switch (name) {
    case 'attribute_exists':
      return (scope) => operand(scope) !== undefined;
    case 'attribute_not_exists':
      return (scope) => operand(scope) === undefined;
    case 'begins_with':
      return (scope) => operand(scope)?.S?.startsWith(other(scope)?.S ?? '') === true;
    default:
      throw new Error(`${name}() is not supported`);
  }
}

function operandOf(token: string): Operand {
  if (!token.startsWith(':')) return (scope) => scope.item[nameOf(token, scope)];
  return ({ values }) => {
    const value = values[token];
    if (value === undefined) throw new Error(`${token} is not defined`);
    return value;
  };
}

/** Below, at or above 0. */
function order(one: AttributeValue | undefined, other: AttributeValue | undefined): number {
  if (one?.N !== undefined && other?.N !== undefined) return Number(one.N) - Number(other.N);
  if (one?.S !== undefined && other?.S !== undefined) return one.S < other.S ? -1 : Number(one.S > other.S);
  if (one?.BOOL !== undefined && other?.BOOL !== undefined) return Number(one.BOOL) - Number(other.BOOL);
  return Number.NaN;
}

export const updateOf: (expression: string) => Update = parsed((tokens) => {
  const updates: Update[] = [];
  while (!tokens.isAtEnd) {
    const clause = CLAUSES[tokens.take().toUpperCase()];
    if (clause === undefined) throw new Error('SET, REMOVE or ADD is missing');
    do updates.push(clause(tokens));
    while (tokens.takes(','));
  }
  return (scope) => Object.assign({}, ...updates.map((update) => update(scope)));
});

const CLAUSES: Readonly<Record<string, (tokens: Tokens) => Update>> = {
  SET(tokens) {
    const target = tokens.take();
    tokens.expect('=');
    const value = assigned(tokens);
    return (scope) => ({ [nameOf(target, scope)]: value(scope) });
  },
  REMOVE(tokens) {
    const target = tokens.take();
    return (scope) => ({ [nameOf(target, scope)]: undefined });
  },
  ADD(tokens) {
    const target = tokens.take();
    const [current, added] = [operandOf(target), operandOf(tokens.take())];
    return (scope) => ({ [nameOf(target, scope)]: sum(current(scope), added(scope)) });
  },
};

function assigned(tokens: Tokens): Operand {
  const first = tokens.take();
  if (first !== 'if_not_exists') return operandOf(first);
  tokens.expect('(');
  const [current = '', otherwise = ''] = list(tokens);
  const operands = [operandOf(current), operandOf(otherwise)] as const;
  return (scope) => operands[0](scope) ?? operands[1](scope);
}

/** ADD: a number is added, a set is united. */
function sum(current: AttributeValue | undefined, added: AttributeValue | undefined): AttributeValue {
  if (added?.N !== undefined) return { N: String(Number(current?.N ?? '0') + Number(added.N)) };
  if (added?.SS !== undefined) return { SS: [...new Set([...(current?.SS ?? []), ...added.SS])] };
  throw new Error('ADD takes a number or a set of texts');
}
