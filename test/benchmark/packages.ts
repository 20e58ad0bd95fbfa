/** The bytes of a bundle by package, which show what a dependency costs at a cold start. */
import type { Metafile } from 'esbuild';

/** Bytes of the minified bundle by package, largest first. */
export function bytesByPackage({ outputs }: Metafile): readonly (readonly [name: string, bytes: number])[] {
  const sums = new Map<string, number>();
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  for (const [path, { bytesInOutput }] of inputs) {
    const name = packageOf(path);
    sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
  }
  return [...sums].sort(([, one], [, other]) => other - one);
}

/** The innermost package: a package may have its own node_modules. */
function packageOf(path: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return name ?? (path.startsWith('left-out:') ? 'in place of what is left out' : 'ours');
}
