/** What the pages load: the stylesheet, the icons and the scripts, which esbuild strips of their types. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';

export interface Asset {
  readonly contentType: string;
  readonly text: string;
}

/** By file name. */
export type Assets = ReadonlyMap<string, Asset>;

const SCRIPTS = join(import.meta.dirname, 'browser');

const icon = (colour: string): Asset => ({
  contentType: 'image/svg+xml',
  text: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="${colour}"/><path d="M3.500 8h7M8 4.500L11.500 8 8 11.500" fill="none" stroke="#fff" stroke-width="2"/></svg>`,
});

export async function loadAssets(): Promise<Assets> {
  const names = readdirSync(SCRIPTS).filter((name) => name.endsWith('.ts'));
  const scripts = await Promise.all(
    names.map(async (name): Promise<[string, Asset]> => {
      const { code } = await transform(readFileSync(join(SCRIPTS, name), 'utf8'), { loader: 'ts', target: 'es2022' });
      return [name.replace(/\.ts$/, '.js'), { contentType: 'text/javascript; charset=utf-8', text: code }];
    }),
  );
  return new Map([
    ...scripts,
    [
      'console.css',
      {
        contentType: 'text/css; charset=utf-8',
        text: readFileSync(join(import.meta.dirname, 'console.css'), 'utf8'),
      },
    ],
    ['production.svg', icon('#aa0808')],
    ['rehearsal.svg', icon('#0064d9')],
  ]);
}
