/** `npm run model`: explores every scenario, and prints its coverage or the shortest path to a broken invariant. */
import { cpuUsage } from 'node:process';
import { parseArgs } from 'node:util';
import { AttemptTree } from './attempt-replay.ts';
import { type Exploration, explore } from './explore.ts';
import { SCENARIOS, WITHOUT_CHECK } from './scenarios.ts';
import type { Scenario } from './system-state.ts';

const HELP = `npm run model -- [options]

Explores all interleavings of two workers on one cart, with crashes, standstills, lost answers, late commits,
redeliveries and redrives, over the real code of functions/create-purchase-orders and of redrive-dead-letters; asserts the invariants in every state.

  --scenario <name>   only this one; may be repeated
  --json              one JSON line on stdout (npm run --silent model -- --json)
  --help              this text

Exits 1 when an invariant is broken, and prints the shortest path there is to it.`;

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(names: readonly string[] | undefined, asJson: boolean): Promise<number> {
  const all = [...SCENARIOS, WITHOUT_CHECK];
  const strangers = names?.filter((name) => !all.some((scenario) => scenario.name === name)) ?? [];
  if (strangers.length > 0) {
    console.error(`No scenario ${strangers.join(', ')}; there are: ${all.map(({ name }) => name).join('; ')}`);
    return 2;
  }
  const tree = new AttemptTree();
  const explorations: (Exploration & { readonly cpuSeconds: number })[] = [];
  for (const scenario of all.filter(({ name }) => names === undefined || names.includes(name))) {
    const before = cpuUsage();
    const exploration = await explore(scenario, tree);
    const { user, system } = cpuUsage(before);
    const explored = { ...exploration, cpuSeconds: Math.round((user + system) / 100_000) / 10 };
    explorations.push(explored);
    if (!asJson) console.log(textOf(explored));
  }
  // This scenario must break an invariant, or else the model can no longer find defects.
  const isAsExpected = ({ scenario, violation }: Exploration): boolean =>
    (violation !== undefined) === (scenario === WITHOUT_CHECK);
  const isGood = explorations.every(isAsExpected);
  if (asJson) console.log(JSON.stringify({ isGood, explorations }));
  else console.log(totalOf(explorations, isGood));
  return isGood ? 0 : 1;
}

const boundsOf = ({ messages, workers, receives, redrives, redriverRuns, copies, ...scenario }: Scenario) =>
  `${messages.length} message(s), ${workers} workers, ${receives} receives, ${redrives} redrive(s), ${redriverRuns} run(s) of the redriver, ` +
  `${copies} requeued, ${scenario.throttles} throttle(s) an attempt; 11VMS ${scenario.target}, ` +
  `look-up ${scenario.lookUp}; overlapping receives: ${yesOrNo(scenario.overlaps)}, ` +
  `attempts that outlive their lease: ${scenario.freezes}`;

const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');
const figure = (value: number): string => value.toLocaleString('en');

function textOf({ scenario, violation, checks, ...explored }: Exploration & { readonly cpuSeconds: number }): string {
  const { states, transitions, depth, replays, cpuSeconds } = explored;
  const figures =
    `  ${figure(states)} states, ${figure(transitions)} transitions, deepest ${depth} steps; ` +
    `${figure(replays)} histories of the code so far; ${cpuSeconds} s of CPU`;
  const head = [`${scenario.name}: ${scenario.says}`, `  bounds: ${boundsOf(scenario)}`, figures];
  if (violation !== undefined) {
    const isExpected = scenario === WITHOUT_CHECK;
    const what = isExpected ? '  broken as expected without the check before sending' : '  BROKEN';
    const steps = violation.path.map((step, index) => `    ${index + 1}. ${step}`);
    return [...head, `${what}: ${violation.invariant}`, ...steps, ''].join('\n');
  }
  const held = Object.entries(checks).map(([name, count]) => `  ${figure(count).padStart(12)}  ${name}`);
  return [...head, ...held, ''].join('\n');
}

function totalOf(explorations: readonly Exploration[], isGood: boolean): string {
  const sum = (of: (exploration: Exploration) => number): string =>
    figure(explorations.reduce((total, exploration) => total + of(exploration), 0));
  const what = `${sum(({ states }) => states)} states, ${sum(({ transitions }) => transitions)} transitions`;
  return isGood ? `Every invariant held: ${what}.` : `An invariant is broken; ${what} explored.`;
}

if (options.help) {
  console.log(HELP);
} else {
  process.exitCode = await main(options.scenario, options.json);
}
