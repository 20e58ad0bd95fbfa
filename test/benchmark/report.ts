/** The result of a benchmark: lines for a person, and one object for a program. */

export interface BenchmarkReport {
  readonly lines: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
}

/** Called before each step of a benchmark. */
export type OnStep = (step: string) => void;

/** One line of a table: a name, and cells of equal width. */
export const row = (name: string, ...cells: readonly string[]): string =>
  `${name.padEnd(26)}${cells.map((cell) => cell.padStart(12)).join('')}`;

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Runs the sides in turn (A B A B), so that a slow moment of the machine affects all. Rounds count from 1. */
export async function inTurn<Name extends string, Result>(
  rounds: number,
  sides: Readonly<Record<Name, (round: number) => Promise<Result>>>,
): Promise<Record<Name, Result[]>> {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the keys of `sides`
  const names = Object.keys(sides) as Name[];
  // oxlint-disable-next-line no-unsafe-type-assertion -- the same keys
  const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Name, Result[]>;
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) results[name].push(await sides[name](round));
  }
  return results;
}
