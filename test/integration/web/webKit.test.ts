import { join } from 'node:path';
import { readConsole } from '../../../src/web/console.ts';
import { startWeb, type WebServer } from '../../../src/web/server.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { startRangeWatch, type RangeWatch } from '../../support/console/rangeWatch.ts';
import { inWebKit, withWebKit, type WebKit } from '../../support/console/webKit.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, type WebStage } from '../../support/web/webStage.ts';

/**
 * A long recording in WebKit, which asks for parts in its own way: first for all, then from where somebody goes to, when that is more than half a
 * megabyte ahead of what has come. Calls of the lab are shorter; one of them is played in acceptance/console/demo.
 */

const folder = temporaryFolder();
const open = catalogues();
const lengthMs = 600_000;
/** Some twelve times as fast as it is played: what comes after minutes has not come when somebody goes there. */
const soundBytesPerMs = 200;

let stages = 0;
let stage: WebStage | undefined;
let server: WebServer | undefined;
let watch: RangeWatch | undefined;

async function clear(): Promise<void> {
  await watch?.stop();
  await server?.stop();
  await stage?.server.stop();
  [watch, server, stage] = [undefined, undefined, undefined];
}

afterEach(clear);

type Listening = {
  seen: RangeWatch;
  isPlayedFrom: (from: number) => Promise<void>;
  goTo: (at: number) => Promise<unknown>;
  /** What the player tells of itself. */
  told: () => Promise<string>;
};

/** The page of a long call, in which somebody has pressed play. */
async function listening(browser: WebKit): Promise<Listening> {
  stage = await webStage(folder.path(`stage${(stages += 1)}`), open);
  stage.door.tokens.set('coach', actorOf('coach'));
  const { call } = await stage.archived(['training'], toneWav(440, lengthMs));
  const console = readConsole(join(import.meta.dirname, '../../../dist/console'));
  server = await startWeb(stage.ports, { host: '127.0.0.1', port: 0, console });
  const seen = await startRangeWatch(server.url, soundBytesPerMs);
  watch = seen;
  const position = (): Promise<number> =>
    browser.evaluate<number>("return Number(document.querySelector('output.position')?.dataset.position ?? -1)");
  await browser.open(`${seen.url}/calls/${call}`);
  await browser.click('input[name=user]');
  await browser.press('coach');
  await browser.click('input[name=password]');
  await browser.press('right');
  await browser.click('.sign-in button[type=submit]');
  await browser.click('.button-play');

  return {
    seen,
    isPlayedFrom: async (from) => {
      await eventually(async () => {
        const now = await position();

        return now > from + 500 && now < from + 30_000;
      });
    },
    goTo: (at) =>
      browser.evaluate(`
      const seek = document.querySelector('.seek');
      seek.value = ${at};
      seek.dispatchEvent(new Event('input', { bubbles: true }));`),
    told: () => browser.evaluate("return document.querySelector('.sound .note-problem')?.textContent ?? ''"),
  };
}

inWebKit('somebody goes to minutes that have not come yet, and hears them', () =>
  withWebKit(async (browser) => {
    const { seen, isPlayedFrom, goTo } = await listening(browser);
    await isPlayedFrom(0);
    await goTo(480_000);
    await isPlayedFrom(480_000);
    await goTo(120_000);
    await isPlayedFrom(120_000);
    const parts = seen.ranges.filter(({ range }) => range !== undefined);
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.filter(({ range, status }) => status !== 206 || !/^bytes=\d+-\d*$/.test(range ?? ''))).toEqual([]);
  }, clear),
);

inWebKit.each([
  ['hangs', 'hangs'],
  ['is cut', 'cut'],
] as const)(
  'a network that %s while somebody plays is told of, and what they were hearing goes on where it was',
  (_name, how) =>
    withWebKit(async (browser) => {
      const { seen, isPlayedFrom, goTo, told } = await listening(browser);
      await isPlayedFrom(0);
      seen.sound(how);
      await goTo(480_000);
      await eventually(async () => /No sound has come|cannot be played/.test(await told()));
      seen.sound('flows');
      await browser.click('.sound .note-problem button');
      await isPlayedFrom(480_000);
      await eventually(async () => (await told()) === '');
    }, clear),
);
