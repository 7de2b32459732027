/** `npm run demo` as a person has it: its console, in Chromium and in WebKit, on its real calls. */
import { openBrowser } from '../../../lab/console/browser.ts';
import { LabProgram } from '../../support/labProgram.ts';
import { inBrowser, positionOf, visit } from '../../support/console/pages.ts';
import { inWebKit, withWebKit } from '../../support/console/webKit.ts';
import { eventually } from '../../support/poll.ts';

let demo: LabProgram;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  demo = new LabProgram('lab/demo.ts');
  await demo.shows(/^Sign in as officer, /m);
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

afterAll(() => {
  // Its clean-up process ends the rest.
  demo.child.kill('SIGKILL');
});

const links = (): string[] =>
  [...demo.output.matchAll(/^Sign in as \w+, .*: (http:\S+)$/gm)].map(([, link]) => link ?? '');

async function anotherLink(): Promise<string> {
  const before = links().length;
  demo.type('');

  return eventually(() => links()[before] ?? false);
}

const consoleUrl = (): string => /^Console: (http:\S+)$/m.exec(demo.output)?.[1] ?? '';
const playedCall = (): string => /plays call (\w{26}) /.exec(demo.output)?.[1] ?? '';

it('finds by itself that the console shows its calls and hands out what was archived', () => {
  expect(demo.output).toMatch(/^Console: it shows 7 calls, and plays call \w{26} \(\d+ bytes, as archived\)\.$/m);
});

it('names who may sign in to somebody who types another name', async () => {
  demo.type('nobody');
  await demo.shows('There is nobody of this name. There are: officer, legal,');
});

inWebKit('in WebKit a call of the demo plays, and moves to where somebody wants to hear it', () =>
  withWebKit(async (webKit) => {
    const link = await anotherLink();
    const position = (): Promise<number> =>
      webKit.evaluate<number>("return Number(document.querySelector('output.position')?.dataset.position ?? -1)");
    await webKit.open(link);
    await eventually(async () => (await webKit.evaluate<string>('return location.pathname')) === '/calls');
    await webKit.open(`${consoleUrl()}/calls/${playedCall()}`);
    await webKit.click('.button-play');
    await eventually(async () => (await position()) > 1_000);
    await webKit.press('l');
    await eventually(async () => (await position()) > 10_000);
    await webKit.press('j');
    await eventually(async () => {
      const now = await position();

      return now >= 0 && now < 10_000;
    });
  }),
);

inBrowser('a link signs in once; a call of the demo plays; and Ctrl-C meanwhile leaves nothing', async () => {
  const browser = await openBrowser();
  closing.push(() => browser.close());
  const { page, complaints } = await visit(browser, consoleUrl());
  const link = await anotherLink();
  await page.goto(link);
  await page.waitForURL(`${consoleUrl()}/calls`);
  await page.locator('table.calls').waitFor();
  expect(await page.locator('a[data-row]').count()).toBe(7);
  expect(await (await page.goto(link))?.text()).toContain('This link was used');
  await page.goto(`${consoleUrl()}/calls/${playedCall()}`);
  await page.locator('.button-play').click();
  await eventually(async () => (await positionOf(page)) > 1_000);
  expect(complaints).toEqual([]);
  const ports = [consoleUrl(), link].map((url) => Number(new URL(url).port));
  demo.child.kill('SIGINT');
  expect(await demo.exited).toEqual([0, null]);
  expect(demo.errors).toBe('');
  await demo.expectNothingLeft(ports);
});
