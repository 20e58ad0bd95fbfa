/** The console in a real browser, over one local run with both simulators. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { axeFindings, chromiumPath, isBrowserRequired, launchBrowser, LAYOUT_RULES } from './browser.ts';
import { type ConsoleRun, startConsoleRun } from './console-run.ts';

const isLeftOut = chromiumPath === undefined && !isBrowserRequired;
if (isLeftOut) {
  process.stderr.write(
    'LEFT OUT: test/browser/console.test.ts, for want of Chromium. Install it (apt-get install chromium), or set CHROMIUM_PATH.\n',
  );
}

const WIDE = { width: 1280, height: 800 };

(isLeftOut ? describe.skip : describe)('the console', () => {
  let run: ConsoleRun;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained of: an error in a console is also what a breach of the policy is. */
  const complaints: string[] = [];

  beforeAll(async () => {
    [run, browser] = await Promise.all([startConsoleRun({ carts: 30 }), launchBrowser()]);
    context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page
      .on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      })
      .on('pageerror', (error) => complaints.push(String(error)))
      .on('requestfailed', (request) => complaints.push(`no answer: ${request.url()}`));
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await run?.close();
  });

  const go = async (path: string): Promise<void> => {
    await page.goto(new URL(path, run.link()).href);
  };
  const heading = () => page.locator('main h1');

  test('opens by its link: the secret leaves the address, and no script can read the cookie', async () => {
    const link = run.link();
    await page.goto(link);
    await page.getByRole('heading', { level: 2, name: 'Flow' }).waitFor();
    complaints.splice(0).forEach((complaint) => expect(complaint).toMatch(/401/));

    expect(page.url()).toBe(new URL('/', link).href);
    expect(await page.evaluate('history.length')).toBeLessThanOrEqual(2);
    const kept = await page.evaluate<[string[], number, string]>(
      '[Object.keys(sessionStorage), localStorage.length, document.cookie]',
    );
    expect(kept).toEqual([['console-key'], 0, '']);
    const key = await page.evaluate<string>('sessionStorage.getItem("console-key")');
    const [cookie, ...others] = await context.cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', expires: -1, domain: '127.0.0.1' });
    expect(cookie?.value).not.toBe(key);
    const markup = await page.content();
    for (const secret of [key, cookie?.value ?? '', new URL(link).hash.slice('#open='.length)]) {
      expect(markup).not.toContain(secret);
    }
    // The terminal shows another link for another tab.
    expect(run.link()).not.toBe(link);
  });

  test('opens nothing by a used link, and says so', async () => {
    const stranger = await browser.newContext();
    try {
      const tab = await stranger.newPage();
      const link = run.link();
      await page.goto(link);
      await heading().waitFor();
      await tab.goto(link);
      await tab.getByText('This link was used already').waitFor();
      expect(await tab.content()).not.toContain('local run');
      complaints.splice(0);
    } finally {
      await stranger.close();
    }
  });

  /** A page that differs from it in numbers and in what it filters by is of the same kind; a tab is one of its own. */
  function kindOf(path: string): string {
    const { pathname, searchParams } = new URL(path, 'http://console');
    const names = [...searchParams].map(([name, value]) => (name === 'state' ? `${name}=${value}` : name));
    return `${pathname.replaceAll(/[^/]*\d[^/]*/g, '#')}?${names.toSorted().join()}`;
  }

  /** What axe-core finds in the page that is open, and how wide it is where it should be narrow. */
  async function findings(): Promise<string[]> {
    const found = await axeFindings(page);
    const inColours = async (media: Parameters<Page['emulateMedia']>[0]): Promise<void> => {
      await page.emulateMedia(media);
      found.push(...(await axeFindings(page, LAYOUT_RULES)));
    };
    await inColours({ colorScheme: 'dark' });
    await inColours({ colorScheme: 'light', forcedColors: 'active' });
    await page.emulateMedia({ forcedColors: 'none' });
    // As on a telephone, and as zoomed to 200 %.
    for (const width of [320, 640]) {
      await page.setViewportSize({ width, height: 800 });
      if (width === 320) found.push(...(await axeFindings(page, LAYOUT_RULES)));
      const needed = await page.evaluate<number>('document.documentElement.scrollWidth');
      if (needed > width) found.push(`scrolls sideways: ${needed} of ${width} pixels`);
    }
    await page.setViewportSize(WIDE);
    return [...found, ...(await unreachable())];
  }

  /** What can scroll, whether it scrolls now or not, and takes no focus, or has no name. */
  const unreachable = (): Promise<string[]> =>
    page.evaluate(`[...document.querySelectorAll('main *')]
      .filter((one) => /auto|scroll/.test(getComputedStyle(one).overflow))
      .filter((one) => one.tabIndex < 0 || !(one.ariaLabel || one.ariaLabelledByElements?.length || one.labels?.length))
      .map((one) => 'the keyboard cannot scroll ' + one.outerHTML.slice(0, 160))`);

  test('shows each page that a link leads to, with no complaint of the browser and no finding of axe-core', async () => {
    const navigation = await page
      .locator('header nav a')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
    expect(navigation.length).toBeGreaterThan(1);
    const seen = new Set<string>();
    const looked = new Set<string>();
    // No link leads there, but forms do.
    const [supplier = ''] = run.vms.orders().map(({ order }) => order.supplier.externalCode);
    const waiting = [...navigation, '/find', `/find?q=${supplier}`, '/runs?hours=24'];
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const kind = kindOf(path);
      if (seen.has(kind)) continue;
      seen.add(kind);
      const answer = await context.request.get(new URL(path, run.link()).href);
      const isList = kind.includes('?as');
      expect({ path, status: answer.status() }).toEqual({ path, status: 200 });
      expect(answer.headers()['content-type']).toMatch(isList ? /^text\/csv/ : /^text\/html/);
      const [pathname = ''] = kind.split('?');
      // A filter changes no part of a page.
      if (isList || (looked.has(pathname) && !/code|state=|hours|q/.test(kind))) continue;
      looked.add(pathname);
      await go(path);
      expect({ path, findings: await findings() }).toEqual({ path, findings: [] });
      const links = await page
        .locator('a[href^="/"]')
        .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
      waiting.push(...links);
    }
    expect([...looked]).toEqual(
      expect.arrayContaining(['/', '/dead-letters', '/find', '/runs/#', '/carts/#/#', '/audit', '/operations']),
    );
    expect(complaints).toEqual([]);
    expect(run.errors).toEqual([]);
  }, 240_000);

  test('shows a cart of each sample in the workbench with no finding of axe-core', async () => {
    await go('/workbench');
    const samples = await page.locator('select[name=sample] option').allTextContents();
    for (const [index] of samples.slice(1).entries()) {
      await page.locator('select[name=sample]').selectOption({ index: index + 1 });
      await page.getByRole('button', { name: 'Translate' }).click();
      await page.locator('main .sheet').first().waitFor();
      expect({ sample: samples[index + 1], findings: await findings() }).toEqual({
        sample: samples[index + 1],
        findings: [],
      });
      await go('/workbench');
    }
    expect(complaints).toEqual([]);
  }, 120_000);

  test('lets the keyboard scroll a timeline whose line becomes wide after the page was opened', async () => {
    const cart = run.carts.find(({ codes = [] }) => codes.length === 0)?.number ?? '';
    await run.sources.functions.invoke('extractor', { cart, by: 'a tester', reason: 'long'.repeat(20) });
    await run.settled();
    await go(`/carts/${run.sources.environment.srm.client}/${cart}`);
    expect(await page.locator('section[aria-labelledby=timeline]').textContent()).toContain('long'.repeat(20));
    // A person makes the letters larger, of which no event tells.
    await page.evaluate("document.documentElement.style.fontSize = '250%'");
    const scrolls =
      "(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.querySelector('[aria-labelledby=timeline]'))";
    expect(await page.evaluate<boolean>(scrolls)).toBe(true);
    expect(await axeFindings(page, ['scrollable-region-focusable'])).toEqual([]);
  });

  test('says that it shows an old state once the console no longer answers', async () => {
    const tab = await context.newPage();
    try {
      await tab.clock.install();
      await tab.goto(new URL('/', run.link()).href);
      for (const ended of [{ status: 401, body: '' }, undefined]) {
        const shownAt = (await tab.locator('footer time').first().textContent()) ?? '';
        const stale = tab.getByRole('status').filter({ hasText: `Not refreshed since ${shownAt}` });
        await tab.route(
          ({ pathname }) => pathname === '/',
          (route) => (ended === undefined ? route.abort() : route.fulfill(ended)),
        );
        await tab.clock.fastForward(31_000);
        await stale.waitFor();
        expect(await stale.count()).toBe(1);
        await tab.unrouteAll();
        // A click on a part of the page that only shows does not keep it old.
        await tab.locator('section[aria-labelledby=flow] h2').click();
        await tab.clock.fastForward(31_000);
        await stale.waitFor({ state: 'detached' });
      }
    } finally {
      await tab.close();
    }
  });

  test('reads a page again neither over a reason that was typed, nor over a form that is open', async () => {
    const tab = await context.newPage();
    try {
      await tab.clock.install();
      await tab.goto(new URL('/', run.link()).href);
      const isRefresh = (request: Request): boolean => request.headers()['x-console-refresh'] === '1';
      let refreshes = 0;
      tab.on('request', (request) => {
        if (isRefresh(request)) refreshes += 1;
      });
      const answered = Promise.withResolvers<undefined>();
      await tab.route(
        ({ pathname }) => pathname === '/',
        async (route) => {
          await answered.promise;
          await route.continue();
        },
      );
      /** Another answer has been read: what came before it was, too. */
      const read = (): Promise<number> => tab.evaluate("fetch('/').then((answer) => answer.text())");
      const flow = tab.locator('section[aria-labelledby=flow] h2');
      const pause = tab.locator('summary', { hasText: 'Pause consumption' });
      const why = tab.locator('#flow-reason');
      // A person begins to type while the answer is on its way, and looks elsewhere.
      const asked = tab.waitForRequest(isRefresh);
      await tab.clock.fastForward(31_000);
      await asked;
      await pause.click();
      await why.fill('INC-42');
      await flow.click();
      answered.resolve(undefined);
      await read();
      expect(await why.inputValue()).toBe('INC-42');

      await pause.click();
      await flow.click();
      await tab.clock.fastForward(31_000);
      await read();
      expect({ refreshes, typed: await why.inputValue() }).toEqual({ refreshes: 1, typed: 'INC-42' });
      await pause.click();
      await why.fill('');
      await flow.click();
      await tab.clock.fastForward(31_000);
      await read();
      expect({ refreshes, isOpen: await why.isVisible() }).toEqual({ refreshes: 1, isOpen: true });

      await pause.click();
      await flow.click();
      const again = tab.waitForRequest(isRefresh);
      await tab.clock.fastForward(31_000);
      await again;
    } finally {
      await tab.close();
    }
  });

  test('shows where real orders come of an act in another colour than elsewhere', async () => {
    await go('/');
    const colour = (): Promise<string> =>
      page.evaluate("getComputedStyle(document.querySelector('.place')).borderTopColor");
    const rehearsal = await colour();
    await page.evaluate("document.body.className = 'production'");
    expect(await colour()).not.toBe(rehearsal);
  });

  test('prints the worklist with its dead letters, and without its forms', async () => {
    await page.emulateMedia({ media: 'print' });
    try {
      for (const path of ['/', '/dead-letters', '/dead-letters?code=E_TGT_VALIDATION']) {
        await go(path);
        expect(await page.locator('input:visible, button:visible, select:visible, textarea:visible').count()).toBe(0);
        const paper = await page.pdf();
        expect(paper.subarray(0, 5).toString()).toBe('%PDF-');
        if (path === '/') continue;
        const rows = await page.locator('section[aria-labelledby=list] tbody tr:visible').allTextContents();
        expect(rows.length).toBeGreaterThan(0);
        expect(rows.join()).toMatch(/E_[A-Z_]+/);
        for (const words of ['A plan moves nothing', 'Close the chosen: they'])
          expect(await page.getByText(words).isVisible()).toBe(false);
      }
    } finally {
      await page.emulateMedia({ media: null });
    }
  });

  test('keeps what was typed where an act is refused', async () => {
    await go('/');
    await page.locator('summary', { hasText: 'Pause consumption' }).click();
    const why = page.locator('#flow-reason');
    await why.fill('ask a.person@example.com');
    expect(await page.evaluate<boolean>("document.querySelector('#flow-reason').checkValidity()")).toBe(false);
    // What a browser lets through, the function refuses.
    await page.evaluate("document.querySelector('#flow-reason').removeAttribute('pattern')");
    await page.getByRole('button', { name: 'Pause for all carts' }).click();
    await page.locator('#refusal').waitFor();
    expect(await page.locator('#refusal').textContent()).toMatch(/e-mail address/);
    expect(await why.inputValue()).toBe('ask a.person@example.com');
    expect(await page.getByRole('button', { name: 'Pause for all carts' }).isEnabled()).toBe(true);
    expect(complaints.splice(0)).toEqual([expect.stringMatching(/502/)]);
  });

  /** Presses Tab until the focus is on what the selector names. */
  async function tabTo(selector: string): Promise<void> {
    for (let presses = 0; presses < 200; presses += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate<boolean>(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`)) return;
    }
    throw new Error(`the Tab key does not reach ${selector}`);
  }
  const focused = () => page.evaluate<string>('document.activeElement?.textContent ?? ""');

  test('takes a person by keyboard alone from a dead letter to its order', async () => {
    const cart = run.carts.find(({ codes = [] }) => codes.join() === 'E_TGT_VALIDATION');
    const number = cart?.number ?? '';
    const ordersOf = () => run.vms.orders().filter(({ order }) => order.sourceDocument.number === number);
    const before = ordersOf().length;
    await go('/');
    await tabTo('a[href="/dead-letters"]');
    await page.keyboard.press('Enter');
    await heading().filter({ hasText: 'Dead letters' }).waitFor();
    await tabTo('a[href="/dead-letters?code=E_TGT_VALIDATION"]');
    await page.keyboard.press('Enter');
    const row = page.getByRole('row').filter({ hasText: number });
    await row.waitFor();
    expect(await row.textContent()).toMatch(/E_TGT_VALIDATION.*SUPPLIER.*mapping owner/);

    await tabTo(`input[name=id][aria-label="Cart ${number}"]`);
    await page.keyboard.press('Space');
    await tabTo('button[value="plan-chosen"]');
    await page.keyboard.press('Enter');
    await heading().filter({ hasText: 'Plan of a redrive' }).waitFor();
    expect(await focused()).toBe('Plan of a redrive');
    expect(await page.locator('main').textContent()).toMatch(/1 dead letter selected, 1 would be redriven/);
    expect(await findings()).toEqual([]);

    run.openSupplier();
    await tabTo('input[name=reason]');
    await page.keyboard.type('The supplier is open again');
    await tabTo('button[value="redrive"]');
    await page.keyboard.press('Enter');
    await page.locator('main .notice').waitFor({ timeout: 40_000 });
    expect(await focused()).toContain('Dead letters');
    await run.settled();

    expect(ordersOf()).toHaveLength(before + 1);
    const externalIds = run.vms.orders().map(({ order }) => order.externalId);
    expect(new Set(externalIds).size).toBe(externalIds.length);
    await go('/dead-letters');
    expect(await page.locator('main').textContent()).not.toContain(number);
    await go('/operations');
    const act = page.getByRole('row').filter({ hasText: 'The supplier is open again' });
    expect(await act.textContent()).toMatch(new RegExp(`redrive.*${number}.*the person at this machine.*1 ordered`));
    await go(`/carts/${run.sources.environment.srm.client}/${number}`);
    expect(await page.locator('main').textContent()).toMatch(/Cured[\s\S]*given up[\s\S]*redriven[\s\S]*ordered/);
    expect(complaints).toEqual([]);
    expect(run.errors).toEqual([]);
  }, 90_000);
});
