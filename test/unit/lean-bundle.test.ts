/** What the bundles leave out, and the build that fails where a package no longer has it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { bundling } from '../../infra/bundle.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lean-bundle-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A bundle of one call of a package `axios` that consists of `modules`. */
async function bundleWithAxios(modules: Readonly<Record<string, string>>): Promise<string> {
  const axios = join(directory, 'node_modules', 'axios');
  mkdirSync(axios, { recursive: true });
  for (const [name, contents] of Object.entries(modules)) writeFileSync(join(axios, name), contents);
  const { outputFiles } = await build({
    ...bundling(),
    stdin: { contents: "import axios from 'axios'; console.log(axios);", resolveDir: directory },
    logLevel: 'silent',
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('');
}

const IMPORTS = `import FormData from 'form-data'; import xhr from './xhr.js'; import { getFetch } from './fetch.js';
  import redirects from 'follow-redirects'; import { getProxyForUrl } from 'proxy-from-env';
  import Agent from 'https-proxy-agent'; import bypass from '../helpers/shouldBypassProxy.js'; import util from 'util';`;
const EXPORT = 'export default [FormData, xhr, getFetch, redirects, getProxyForUrl, Agent, bypass, util];';

test('a module is replaced by its name, whatever file has that name', async () => {
  const axios = {
    'index.js': `${IMPORTS} import http2 from 'http2'; ${EXPORT} console.log(http2)`,
    'xhr.js': "export default 'read at every cold start'",
  };
  expect(await bundleWithAxios(axios)).not.toMatch(/read at every cold start|require\("http2"\)/);
});

test('a build fails, by name, when a package no longer imports what is replaced', async () => {
  await expect(bundleWithAxios({ 'index.js': `${IMPORTS} ${EXPORT}` })).rejects.toThrow(
    'infra/lean-bundle.ts replaces what is no longer there: http2 of axios',
  );
});
