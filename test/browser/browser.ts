/** A real browser: Chromium, driven by playwright-core. It is no package: Debian has it, and CI's machines bring it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Undefined where there is none. */
export const chromiumPath = [process.env['CHROMIUM_PATH'] ?? '', ...PLACES].find(
  (path) => path !== '' && existsSync(path),
);

/** Where a test must not be left out for want of a browser. */
export const isBrowserRequired = process.env['BROWSER_TESTS'] === 'required';

/** @throws {Error} where there is no Chromium. */
export function launchBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) {
    throw new Error(`No Chromium at ${PLACES.join(' or ')}: apt-get install chromium, or set CHROMIUM_PATH.`);
  }
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Given to the page by the debugger: the page's own policy lets no foreign script in. */
const AXE = readFileSync(join(import.meta.dirname, '..', '..', 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
/** What depends on colours and widths; all other rules see the same page in each of them. */
export const LAYOUT_RULES = ['color-contrast', 'target-size', 'scrollable-region-focusable', 'link-in-text-block'];

/** What axe-core finds, one line each. @param rules all where they are left out */
export async function axeFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  await page.evaluate(AXE);
  const runOnly = rules === undefined ? '' : `, runOnly: ${JSON.stringify(rules)}`;
  return page.evaluate(
    `axe.run({ resultTypes: ['violations']${runOnly} }).then(({ violations }) => violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, any }) => [id, help, html.slice(0, 160), ...any.map(({ message }) => message)].join(' | '))))`,
  );
}
