/**
 * The pictures of the README: `npm run screenshots`. Real calls of the lab, and the console as Chromium shows it. They are made again whenever the pages
 * have changed. So that they show the same day and hours each time, the times that the API tells are moved to those of a morning before the page has
 * them. What a machine measures is its own, such as gaps and seconds.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../../lab/console/browser.ts';
import { servedConsole } from '../../lab/console/served.ts';
import { runProgram, say, type Program } from '../../lab/program.ts';
import { startRig, type Rig } from '../../lab/rig.ts';
import { speech, type ToneFile } from '../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent } from '../../lab/telephones/sip.ts';
import { callOnHold, consoleRig, password, somePeople, type Phones } from '../support/console/consoleLab.ts';
import { eventually } from '../support/poll.ts';

const folder = fileURLToPath(new URL('../../docs/images', import.meta.url));
const zone = 'Europe/Brussels';
/** A Monday, by the clock of Brussels, an hour ahead of UTC. */
const day = '2026-03-02';
const size = { width: 1_280, height: 800 };
/** The list is shorter than a call. */
const listHeight = 640;

/** Unix time of so late in Brussels, ms. */
const shownTime = (time: string): number => Date.parse(`${day}T${time}:00+01:00`);

/** When something began in the lab, and when it is shown to have begun, ms. In their order. */
type Moved = { real: number; shown: number };

/** By how much a time is moved: as what began last before it. */
function offsetAt(real: number, moved: readonly Moved[]): number {
  const { real: began = 0, shown = 0 } = moved.findLast((each) => each.real <= real) ?? moved[0] ?? {};

  return shown - began;
}

const isoTimes = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

const moveTimes = (text: string, moved: readonly Moved[]): string =>
  text.replace(isoTimes, (time) => {
    const real = Date.parse(time);

    return new Date(real + offsetAt(real, moved)).toISOString();
  });

type Placed = { to: string; fromNumber: string; digits?: string; everyMs?: number };

/** Who calls at which hour; several at the same time. */
const morning: readonly { time: string; calls: readonly Placed[] }[] = [
  {
    time: '09:04',
    calls: [
      { to: 'sales', fromNumber: '+3242000000' },
      { to: 'busy', fromNumber: '+3232000001' },
    ],
  },
  {
    time: '09:31',
    calls: [
      { to: 'orders', fromNumber: '+492210000000', digits: '1', everyMs: 1_000 },
      { to: 'sales', fromNumber: '+3232000000', digits: '9', everyMs: 2_000 },
    ],
  },
  {
    time: '10:12',
    calls: [
      { to: 'sales', fromNumber: '+3232000002' },
      { to: 'orders', fromNumber: '+3242000003' },
    ],
  },
];
/** When the call is placed that is shown. */
const shownAt = '10:41';
/** Behind notice and ringing, ms. */
const hangUpAfterMs = 26_000;
const digitsPressed = 40;

const talkMs = 30_000;
const callerSays = (): Promise<ToneFile> =>
  speech(
    'en-gb',
    [
      { atMs: 1_500, text: 'Good morning. I ordered a desk two weeks ago, and it has not come.' },
      { atMs: 12_500, text: 'It is four, seven, one, one. I had hoped for it before Easter.' },
      { atMs: 22_500, text: 'That would be very kind. Thank you.' },
    ],
    talkMs,
  );
const agentSays = (): Promise<ToneFile> =>
  speech(
    'en-us',
    [
      { atMs: 200, text: 'Good morning.' },
      { atMs: 7_000, text: 'I am sorry about that. May I have the number of your order, please?' },
      { atMs: 18_500, text: 'Thank you. I look at it now, and call you back today.' },
    ],
    talkMs,
  );

async function startPhones(program: Program): Promise<Phones> {
  const keep: Program['keep'] = (part) => program.keep(part);
  const receiver = await startRtpReceiver();
  await keep({
    stop: () => {
      receiver.close();
      return Promise.resolve();
    },
  });
  const tone = await agentSays();

  return {
    agent: await keep(startAgent({ behaviour: 'answer', tone, ringMs: 400, atOnce: 20 })),
    holding: await keep(startAgent({ behaviour: 'answer', tone, ringMs: 400, receiver })),
    receiver,
    busy: await keep(startAgent({ behaviour: 'busy' })),
  };
}

async function place(rig: Rig, { to, fromNumber, digits, everyMs = 1_000 }: Placed): Promise<void> {
  const call = await placeCall({
    sipPort: rig.asterisk.sipPort,
    to,
    fromNumber,
    tone: await callerSays(),
    hangUpAfterMs,
    ...(digits === undefined
      ? {}
      : {
          digits: Array.from({ length: digitsPressed }, (_none, index) => ({
            afterMs: everyMs * (index + 1),
            digit: digits,
          })),
        }),
  });
  await call.ended;
  await call.stop();
}

async function makeCalls(rig: Rig, phones: Phones): Promise<Moved[]> {
  const moved: Moved[] = [];
  const begin = (time: string): void => {
    moved.push({ real: Date.now(), shown: shownTime(time) });
  };
  for (const { time, calls } of morning) {
    begin(time);
    await Promise.all(calls.map((each) => place(rig, each)));
  }
  begin(shownAt);
  await callOnHold(rig, phones, { tone: await callerSays(), beforeMs: 14_000, heldMs: 3_000, afterMs: 9_000 });
  const recorded = async (): Promise<boolean> => {
    await rig.preavis('upload');
    const { recordings } = await rig.preavisJson<{ recordings: { status: string }[] }>('recordings', 'list');
    const kept = recordings.filter(({ status }) => status !== 'discarded');

    return kept.length > 0 && kept.every(({ status }) => status === 'archived');
  };
  await eventually(recorded, { everyMs: 500 });

  return moved;
}

/** What a coach writes about the call, so that the picture shows where it stands. */
async function writeNotes(page: Page): Promise<void> {
  await page.getByLabel('Position in the recording').fill('7000');
  await page.locator('h1').click();
  await page.keyboard.press('c');
  await page.getByLabel('Comment', { exact: true }).fill('Says sorry first, then asks for the number: well done.');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('.comments li').waitFor();
  await page.getByLabel('Add a tag').fill('complaint');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Remove the tag complaint' }).waitFor();
  await page.getByLabel('Greeting').selectOption('4');
  await page.getByRole('button', { name: 'Save the rating' }).click();
  await page.getByText('75 of 100').waitFor();
  await page.getByLabel('Exemplary').check();
}

async function signedIn(
  browser: Browser,
  { url, theme, moved }: { url: string; theme: 'light' | 'dark'; moved: readonly Moved[] },
): Promise<Page> {
  const context = await browser.newContext({
    viewport: size,
    locale: 'en-GB',
    timezoneId: zone,
    colorScheme: theme,
    reducedMotion: 'reduce',
    baseURL: url,
  });
  await context.route('**/api/v1/**', async (route) => {
    const response = await route.fetch();
    const isJson = response.headers()['content-type']?.includes('json') === true;
    await route.fulfill(isJson ? { response, body: moveTimes(await response.text(), moved) } : { response });
  });
  // The browser's clock goes with it: its session must not have ended.
  await context.addInitScript(`
    globalThis.Date = class extends Date {
      constructor(...given) { if (given.length > 0) super(...given); else super(Date.now()); }
      static now() { return super.now() + ${offsetAt(Date.now(), moved)}; }
    };`);
  const page = await context.newPage();
  await page.goto('/calls');
  await page.locator('input[name=user]').fill('olga');
  await page.locator('input[name=password]').fill(password);
  await page.locator('.sign-in .button-main[type=submit]').click();
  await page.locator('table.calls').waitFor();

  return page;
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.evaluate('document.activeElement?.blur(); document.fonts.ready');
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' });
  say(`docs/images/${name}.png`);
}

async function openCall(page: Page): Promise<void> {
  await page.locator('table.calls tr', { hasText: 'desk' }).locator('a[data-row]').click();
  await page.locator('.button-play').waitFor();
  await page.locator('#notes').waitFor();
}

async function screenshots(program: Program): Promise<void> {
  await mkdir(folder, { recursive: true });
  say('Starting Asterisk, telephones and Préavis ...');
  const phones = await startPhones(program);
  const { config, ...rest } = consoleRig(phones, await somePeople());
  const rig = await program.keep(startRig({ ...rest, config: { ...config, web: { listen: '127.0.0.1:0' } } }));
  say('Calling, for two minutes ...');
  const moved = await program.unlessAsked(makeCalls(rig, phones));
  const url = await servedConsole(rig);
  const browser = await openBrowser();
  await program.keep({ stop: () => browser.close() });
  const light = await signedIn(browser, { url, theme: 'light', moved });
  await openCall(light);
  await writeNotes(light);
  for (const theme of ['light', 'dark'] as const) {
    const page = await signedIn(browser, { url, theme, moved });
    await page.setViewportSize({ ...size, height: listHeight });
    await shoot(page, `console-calls-${theme}`);
    await page.setViewportSize(size);
    await openCall(page);
    await page.locator('.comments li').waitFor();
    await shoot(page, `console-call-${theme}`);
  }
}

await runProgram('screenshots', screenshots);
