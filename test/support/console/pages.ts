import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { chromiumProgram } from '../../../lab/console/browser.ts';
import { password } from './consoleLab.ts';

/** The console in a real browser, and what the eye and a screen reader would stumble over there. */

/** Skipped, and counted as that, where there is no Chromium: `node lab/prepare.mjs --with browser` brings it. */
export const inBrowser = chromiumProgram === undefined ? test.skip : test;

/** Less would fail on a machine that is slow, and says no more where something is broken, ms. */
const waitMs = 90_000;

/** What the browser complained of: scripts that threw, and what the policy of contents kept out. */
export type Visit = { context: BrowserContext; page: Page; complaints: string[]; foreign: string[] };

let visitors = 0;

type Look = { width?: number; language?: string; theme?: 'light' | 'dark'; zone?: string };

export async function visit(
  browser: Browser,
  url: string,
  { width = 1_440, language = 'en', theme = 'light', zone = 'UTC' }: Look = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    locale: language,
    timezoneId: zone,
    colorScheme: theme,
    baseURL: url,
    // Of an address of its own, as people have one: of one address few sign-ins are taken in a minute.
    extraHTTPHeaders: { 'x-forwarded-for': `10.0.0.${(visitors += 1) % 250}` },
  });
  context.setDefaultTimeout(waitMs);
  const page = await context.newPage();
  const seen: Visit = { context, page, complaints: [], foreign: [] };
  page.on('pageerror', ({ message }) => seen.complaints.push(message));
  page.on('console', (message) => {
    // That an answer was no is not a fault of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      seen.complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('blob:')) seen.foreign.push(request.url());
  });

  return seen;
}

export async function signIn(page: Page, user: string, code?: string): Promise<void> {
  await page.locator('input[name=user]').fill(user);
  await page.locator('input[name=password]').fill(password);
  await page.locator('.sign-in .button-main[type=submit]').click();
  if (code === undefined) return;
  await page.locator('input[name=code]').fill(code);
  await page.locator('.sign-in .button-main[type=submit]').click();
}

/** How much wider than the window the page is. */
export async function widerThanWindow(page: Page): Promise<string[]> {
  const over = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );

  return over > 0 ? [`${over} px wider than the window`] : [];
}

/** What axe finds as well. */
export async function faultsOn(page: Page): Promise<string[]> {
  // By the debugger, which the policy of contents does not hold off; it is not to bring style sheets of its own.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { target: string[] }[] }[] }>(
    'axe.run({ preload: false })',
  );

  return [
    ...(await widerThanWindow(page)),
    ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`),
  ];
}

/** ms, as the player shows it. */
export const positionOf = async (page: Page): Promise<number> =>
  Number(await page.locator('output.position').getAttribute('data-position'));

/**
 * Does it in the page as soon as there is such an element, before the browser has painted it: as somebody whose hand was faster.
 * @param act JavaScript; the element is `it`
 */
export async function atOnceOn(page: Page, selector: string, act: string): Promise<void> {
  // As a task, like an event: behind whatever the console does at once.
  await page.evaluate(`new MutationObserver((_changes, observer) => {
    const it = document.querySelector('${selector}');
    if (it === null) return;
    observer.disconnect();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { ${act}; };
    port2.postMessage(undefined);
  }).observe(document, { childList: true, subtree: true })`);
}
