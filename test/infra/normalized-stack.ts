/**
 * The snapshots of the stacks beside the tests: the whole template of prod, and of every other environment only the
 * values that its name, account and region do not explain.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, isList, type Json, jsonText, toJson } from '../../infra/docs/json-text.ts';
import { asText, EVERYTHING_ENVIRONMENT, type Synthesis } from './synthesis.ts';

export const WHOLE = 'prod';

/** The name of the environment with every optional block. */
export const EVERYTHING = EVERYTHING_ENVIRONMENT.name;

/** What to synthesize an environment by: its name, or a file that is written into the directory. */
export function entryOf(name: string, directory: string): string {
  if (name !== EVERYTHING) return name;
  const file = join(directory, `${name}.json`);
  writeFileSync(file, JSON.stringify(EVERYTHING_ENVIRONMENT));
  return file;
}

export const snapshotFile = (name: string): string => join(import.meta.dirname, 'snapshots', `${name}.json`);

/** The text of the snapshot of an environment. */
export const snapshotOf = (synthesis: Synthesis, whole: Synthesis): string =>
  jsonText(synthesis === whole ? normalizedStack(whole) : differences(whole, synthesis));

const normalizedStack = ({ stack, text }: Synthesis): Json =>
  normalized(toJson({ ...stack, template: JSON.parse(text) }));

/**
 * Keys are sorted, since the order of constructs means nothing; assets lose the hash of their content; and the
 * dashboard is kept as a document, so that a changed graph is a changed line.
 */
function normalized(json: Json, name = ''): Json {
  if (name === 'DashboardBody') return normalized(toJson(JSON.parse(asText(json))));
  if (typeof json === 'string') return json.replace(/\b[0-9a-f]{64}\.zip$/, '<asset>.zip');
  if (isList(json)) return json.map((element) => normalized(element));
  if (!isJsonObject(json)) return json;
  const entries = Object.entries(json).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, normalized(value, key)]));
}

/** By path: the value in prod, and the value here; `none` where there is none. */
function differences(whole: Synthesis, other: Synthesis): Json {
  const { name, account, region } = other.environment;
  // CDK writes some of these into the template of an environment that knows them.
  const pseudoParameters = { AccountId: account, Region: region, Partition: region && 'aws' };
  const resolved = (text: string): string =>
    Object.entries(pseudoParameters).reduce(
      (result, [parameter, value]) => (value === undefined ? result : result.replaceAll(`{AWS::${parameter}}`, value)),
      text,
    );
  const renamed = (text: string): string => text.replace(new RegExp(`\\b${WHOLE}\\b`, 'g'), name);
  const there = leavesOf(normalizedStack(whole), (text) => resolved(renamed(text)));
  const here = leavesOf(normalizedStack(other), resolved);
  const paths = [...new Set([...there.keys(), ...here.keys()])].sort();
  const differing = paths.filter((path) => there.get(path) !== here.get(path));
  return Object.fromEntries(
    differing.map((path) => [path, `${there.get(path) ?? 'none'} -> ${here.get(path) ?? 'none'}`]),
  );
}

type Leaf = string | number | boolean | null;

/** Every value by its path; a value that CloudFormation joins is one value. */
function leavesOf(json: Json, rewritten: (text: string) => string, path = ''): Map<string, Leaf> {
  if (typeof json === 'string') return new Map([[path, rewritten(json)]]);
  if (typeof json !== 'object' || json === null) return new Map([[path, json]]);
  const members = Object.entries(json);
  if (members.some(([key]) => INTRINSICS.has(key))) return new Map([[path, rewritten(asText(json))]]);
  const pathOf = (key: string): string => (path === '' ? key : `${path}.${key}`);
  return new Map(members.flatMap(([key, value]) => [...leavesOf(value, rewritten, pathOf(key))]));
}

/** The functions that `asText` reads. */
const INTRINSICS = new Set(['Ref', 'Fn::GetAtt', 'Fn::Join', 'Fn::Sub']);
