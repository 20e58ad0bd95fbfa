/**
 * Visits every state that a scenario can reach, breadth first, so that the path to a broken invariant is the shortest.
 */
import { type AttemptNode, AttemptTree } from './attempt-replay.ts';
import { type RedriveNode, RedriveTree } from './redrive-replay.ts';
import { type Happened, INVARIANTS } from './invariants.ts';
import {
  type Draft,
  initialState,
  keyOfState,
  type Scenario,
  stepsFrom,
  withoutRedriver,
  withoutWorker,
  type SystemState,
} from './system-state.ts';

export interface Violation {
  readonly invariant: string;
  /** The steps from the start to the state that breaks the invariant. */
  readonly path: readonly string[];
}

export interface Exploration {
  readonly scenario: Scenario;
  readonly states: number;
  readonly transitions: number;
  /** The number of steps to the state farthest from the start. */
  readonly depth: number;
  /** How often the real code was run: once for each history of an attempt. */
  readonly replays: number;
  /** How often each promised invariant had something to check. */
  readonly checks: Readonly<Record<string, number>>;
  readonly violation: Violation | undefined;
}

interface Found {
  readonly system: SystemState;
  readonly index: number;
}

/** @throws {ModelDefect} when the code makes an unknown call, or behaves differently after the same history. */
export async function explore(scenario: Scenario, tree = new AttemptTree()): Promise<Exploration> {
  const promised = INVARIANTS.filter(({ isPromised }) => isPromised(scenario));
  const checks = promised.map(() => 0);
  const redrives = new RedriveTree();
  const indexes = new Map<string, number>();
  /** For each state: its predecessor on the shortest path, and the step between them. */
  const parents: number[] = [];
  const steps: string[] = [];
  let transitions = 0;
  let depth = 0;

  const enter = (system: SystemState, parent: number, says: string): Found | undefined => {
    const key = keyOfState(system);
    if (indexes.has(key)) return undefined;
    const index = indexes.size;
    indexes.set(key, index);
    parents.push(parent);
    steps.push(says);
    return { system, index };
  };
  const pathTo = (index: number): string[] => {
    const path: string[] = [];
    for (let at = index; at > 0; at = parents[at] ?? 0) path.unshift(steps[at] ?? '');
    return path;
  };
  const result = (violation?: Violation): Exploration => ({
    scenario,
    states: indexes.size,
    transitions,
    depth,
    replays: tree.replays,
    checks: Object.fromEntries(promised.map(({ name }, at) => [name, checks[at] ?? 0])),
    violation,
  });

  let frontier = [enter(initialState(scenario), 0, 'the start')].filter((found) => found !== undefined);
  while (frontier.length > 0) {
    const following: Found[] = [];
    for (const { system: before, index } of frontier) {
      for (const step of stepsFrom(before, scenario)) {
        transitions += 1;
        const went = goOn(step.to, tree, redrives);
        const { system, ended } = went instanceof Promise ? await went : went;
        const { postedBy, deleted } = step;
        for (const [at, { name, holds }] of promised.entries()) {
          const isHeld = holds(system, before, { postedBy, deleted, ended });
          if (isHeld === undefined) continue;
          checks[at] = (checks[at] ?? 0) + 1;
          if (!isHeld) return result({ invariant: name, path: [...pathTo(index), step.says] });
        }
        const found = enter(system, index, step.says);
        if (found !== undefined) following.push(found);
      }
    }
    frontier = following;
    if (frontier.length > 0) depth += 1;
  }
  return result();
}

interface Went {
  readonly system: SystemState;
  /** The end of the answered attempt, if it ended. */
  readonly ended: Happened['ended'];
}

/** Continues an attempt with its answer. A known history is read from the tree; a new one is run. */
function goOn(
  { goesOn, starts, redriverGoesOn, redriverStarts, ...system }: Draft,
  tree: AttemptTree,
  redrives: RedriveTree,
): Went | Promise<Went> {
  if (redriverStarts !== undefined) {
    return redrives
      .root(redriverStarts)
      .then((node) => ({ system: { ...system, redrivers: [...system.redrivers, node] }, ended: undefined }));
  }
  if (redriverGoesOn !== undefined) {
    const { node, key, answer } = redriverGoesOn;
    const left = withoutRedriver(system, node);
    const replace = (next: RedriveNode): Went => {
      const redrivers = next.progress.kind === 'ends' ? left.redrivers : [...left.redrivers, next];
      return { system: { ...left, redrivers }, ended: undefined };
    };
    const known = node.next.get(key);
    return known === undefined ? redrives.after(node, key, answer).then(replace) : replace(known);
  }
  if (starts !== undefined) {
    return tree
      .root(starts)
      .then((node) => ({ system: { ...system, workers: [...system.workers, node] }, ended: undefined }));
  }
  if (goesOn === undefined) return { system, ended: undefined };
  const { node, key, answer } = goesOn;
  const replace = (next: AttemptNode): Went => {
    const ended = next.progress.kind === 'ends' ? next.progress : undefined;
    // A worker that returns its message is free at once. A later time would add no new behaviour.
    if (ended?.settlement === 'return') return { system: withoutWorker(system, node), ended };
    const workers = [...system.workers];
    workers[workers.indexOf(node)] = next;
    return { system: { ...system, workers }, ended };
  };
  const known = node.next.get(key);
  return known === undefined ? tree.after(node, key, answer).then(replace) : replace(known);
}
