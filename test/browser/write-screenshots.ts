/**
 * What `npm run screenshots -- [FOLDER [WIDTH...]]` runs: each page of the console over a local run, light and dark.
 * Without a folder it writes those that README shows.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { launchBrowser } from './browser.ts';
import { startConsoleRun } from './console-run.ts';

const SHOWN = ['now-light', 'dead-letters-of-a-cause-dark', 'plan-light', 'cart-dark'];

const [folder, ...given] = process.argv.slice(2);
const directory = folder === undefined ? join(import.meta.dirname, '../../infra/console/screenshots') : resolve(folder);
const widths = given.length === 0 ? [1120] : given.map(Number);
mkdirSync(directory, { recursive: true });

const [run, browser] = await Promise.all([startConsoleRun({ carts: 40 }), launchBrowser()]);
try {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  const shoot = async (name: string): Promise<void> => {
    for (const width of widths) {
      for (const colorScheme of ['light', 'dark'] as const) {
        // A file of a whole list would be large; the first screen shows how a page looks.
        const file = `${name}${widths.length === 1 ? '' : `-${width}`}-${colorScheme}`;
        if (folder === undefined && !SHOWN.includes(file)) continue;
        await page.setViewportSize({ width, height: 640 });
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(directory, `${file}.png`) });
      }
    }
  };
  const go = (path: string) => page.goto(new URL(path, run.link()).href);
  const act = async (value: string, shown: string): Promise<void> => {
    await page.locator(`button[value="${value}"]`).click();
    await page.locator(shown).waitFor();
  };

  await page.goto(run.link());
  await page.locator('#flow').waitFor();
  const navigation = await page
    .locator('header nav a')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
  for (const path of navigation.filter((one) => one !== '/operations')) {
    await go(path);
    await shoot(path === '/' ? 'now' : path.slice(1));
  }
  const number = run.carts.find(({ codes = [] }) => codes.join() === 'E_TGT_VALIDATION')?.number ?? '';
  await go('/dead-letters?code=E_TGT_VALIDATION');
  await shoot('dead-letters-of-a-cause');
  await page.locator('input[name=id]').first().check();
  await act('plan-chosen', '#plan');
  await shoot('plan');
  run.openSupplier();
  await page.locator('input[name=reason]').fill('The supplier is open again');
  await act('redrive', 'main .notice');
  await run.settled();
  await go('/operations');
  await shoot('operations');
  await go(`/carts/${run.sources.environment.srm.client}/${number}`);
  await shoot('cart');
  await go('/workbench');
  await page.locator('select[name=sample]').selectOption({ index: 1 });
  await page.getByRole('button', { name: 'Translate' }).click();
  await page.locator('main table').first().waitFor();
  await shoot('workbench-of-a-cart');
} finally {
  await browser.close();
  await run.close();
}
