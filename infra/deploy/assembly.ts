/**
 * A deployment in two halves: the assembly is built where there is no identity in AWS, and deployed where there is one,
 * which holds it by its digest and reads it as data.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import * as z from 'zod';
import { type Deployment, deploymentOfTemplate, entryDifferences, unpackEntry } from '../deployment.ts';
import { type Environment, stackName } from '../environments.ts';
import { assemblySchemas } from './assembly-schema.ts';
import type { AssemblyChoice } from './options.ts';
import { DeploymentRefused } from './refusal.ts';

/** A first deployment needs both: the stack is created without its protection, and then protected. */
export const HALVES = ['creating', 'created'] as const;
export type Half = (typeof HALVES)[number];

export const halfOf = (directory: string, half: Half): string => join(directory, half);

/** SHA-256 over the path and the content of every file. @throws {DeploymentRefused} for what is no file, such as a link. */
export function digestOf(directory: string): string {
  const hash = createHash('sha256');
  for (const path of filesOf(directory).toSorted()) {
    const content = readFileSync(join(directory, path));
    // With its length, a name cannot pass for a part of a content.
    hash.update(`${JSON.stringify(path)} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** With `/` between their parts on every platform. */
function filesOf(root: string, directory = root): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) return filesOf(root, path);
    if (!stats.isFile()) throw new DeploymentRefused(`${path} is no file: an assembly holds files alone.`);
    return [relative(root, path).replaceAll(sep, '/')];
  });
}

/** The directory of a new assembly. @throws {DeploymentRefused} when it holds anything. */
export function newDirectory(typed: string): string {
  const directory = resolve(typed);
  const holds = existsSync(directory) && (!lstatSync(directory).isDirectory() || readdirSync(directory).length > 0);
  if (holds) throw new DeploymentRefused(`${typed} is not empty: name a directory that is empty, or not there.`);
  return directory;
}

/**
 * Holds an assembly against its digest, and against the environment that it is deployed to. Returns what it says of itself.
 * @throws {DeploymentRefused}
 */
export function checkAssembly({ directory, digest }: AssemblyChoice, environment: Environment): Deployment {
  if (!existsSync(directory)) throw new DeploymentRefused(`There is no assembly ${directory}.`);
  const found = digestOf(directory);
  if (found !== digest) {
    throw new DeploymentRefused(
      `The assembly ${directory} is not the one that was built: its digest is ${found}, and not ${digest}. Nothing is deployed. Build it again, and find out who changed it.`,
    );
  }
  const [first, ...others] = HALVES.map((half) => checkHalf(halfOf(directory, half), environment));
  if (first === undefined || others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
    throw new DeploymentRefused(`The parts of the assembly ${directory} are of different builds: build it again.`);
  }
  return first;
}

function checkHalf(directory: string, environment: Environment): Deployment {
  const { stackName: name, templateFile } = checkContents(directory, environment);
  if (name !== stackName(environment)) {
    throw new DeploymentRefused(`The assembly ${directory} is for ${name}, and not for ${stackName(environment)}.`);
  }
  const deployment = deploymentOfTemplate(readPart(directory, templateFile));
  if (deployment === undefined) {
    throw new DeploymentRefused(`The assembly ${directory} does not say what it is: build it with --build.`);
  }
  if (deployment.entry !== undefined) {
    const { settings, valueMaps } = entryDifferences(unpackEntry(deployment.entry), environment);
    if (settings.length + valueMaps.length > 0) {
      throw new DeploymentRefused(
        `The assembly ${directory} was built from another entry of ${environment.name} than this checkout holds: build it again.`,
      );
    }
  }
  return deployment;
}

/** Holds all but the template against what a build of the entry writes. Returns its stack. @throws {DeploymentRefused} */
export function checkContents(directory: string, environment: Environment) {
  const schemas = assemblySchemas(environment);
  const parsed = <Schema extends z.ZodType>(schema: Schema, file: string): z.infer<Schema> => {
    const { data, error } = schema.safeParse(asJson(readPart(directory, file)));
    if (data !== undefined) return data;
    throw new DeploymentRefused(
      `The assembly ${directory} holds what no build of its entry writes (${file}): nothing of it is run. ${z.prettifyError(error ?? new z.ZodError([]))}`,
    );
  };
  const stacks = Object.values(parsed(schemas.manifest, 'manifest.json').artifacts).flatMap((artifact) => {
    if (artifact.type === 'aws:cloudformation:stack') {
      parsed(schemas.metadata, artifact.additionalMetadataFile);
      return [artifact.properties];
    }
    if (artifact.type === 'cdk:asset-manifest') {
      for (const { source } of Object.values(parsed(schemas.assets, artifact.properties.file).files)) {
        if (!resolve(directory, source.path).startsWith(directory + sep)) {
          throw new DeploymentRefused(`The assembly ${directory} takes ${source.path} from outside.`);
        }
      }
    }
    return [];
  });
  const [stack, ...others] = stacks;
  if (stack === undefined || others.length > 0) {
    throw new DeploymentRefused(`The assembly ${directory} holds ${stacks.length} stacks, and not one.`);
  }
  return stack;
}

function readPart(directory: string, file: string): string {
  const path = resolve(directory, file);
  if (!path.startsWith(directory + sep) || !existsSync(path)) {
    throw new DeploymentRefused(`The assembly ${directory} holds no ${file}: build it with --build.`);
  }
  return readFileSync(path, 'utf8');
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The next steps of a workflow of GitHub find it as the output `digest` of the step. */
export function tellWorkflow(digest: string, variables: Readonly<Record<string, string | undefined>>): void {
  const { GITHUB_OUTPUT: file } = variables;
  if (file !== undefined && file !== '') appendFileSync(file, `digest=${digest}\n`);
}
