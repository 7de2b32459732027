/**
 * How soon the pages of the console can be used among a million calls: `npm run bench:console [-- --calls 1000000 --times 20 --folder FOLDER]`.
 *
 * The catalogue is that of `bench:api`, and its clock stands at its end. Chromium, without a window, opens each page that the roles see, by clicks as
 * a person makes them. Measured in the page: from the click, by the browser's own time of it, until what was asked for has been painted and nothing on
 * the page waits any more. `first`: from the beginning of the navigation, with nothing cached, until the calls have been painted. It is red
 * where the 95th percentile of a page is above 300 ms, or of the first above 1 s. `busy` is processor time of the page's main thread and of this
 * process, which has the server and what drives the browser: others on the machine hardly lengthen it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Role } from '../src/config/roles.ts';
import { openBrowser } from '../lab/console/browser.ts';
import { makePeakKeeper } from '../src/audio/peaks.ts';
import { openSqlite } from '../src/catalogue/sqlite/sqlite.ts';
import { readConsole } from '../src/web/console.ts';
import { ascending, quantile } from './figures.ts';
import { callId, firstCall } from './largeCatalogue.ts';
import { actorOf, say, startLargeWeb } from './largeWeb.ts';

const clickLimitMs = 300;
const firstLimitMs = 1_000;
const waitMs = 60_000;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '20' },
    folder: { type: 'string' },
  },
});
const calls = Number(values.calls);
const times = Number(values.times);
const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'preavis-bench-console-')));
const files = readConsole(fileURLToPath(new URL('../dist/console', import.meta.url)));
if (files === undefined) throw new Error('The console is not built. Run: npm run build');

const roles: readonly Role[] = ['officer', 'coach', 'legal', 'operator', 'auditor', 'admin'];
/** The newest call is a minute old. */
const at = firstCall + calls * 20_000 + 60_000;
const actors = Object.fromEntries(roles.map((role) => [role, actorOf(role)]));
const web = await startLargeWeb(folder, calls, { actors, at, console: files });
drawNewest();

/** The newest recordings have a picture, as those of a house have. */
function drawNewest(): void {
  const peaks = Int8Array.from(
    { length: 800 },
    (_none, at) => Math.round(100 * Math.sin(at / 9)) * (at % 2 === 0 ? -1 : 1),
  );
  const keeper = makePeakKeeper(undefined);
  const database = openSqlite(join(folder, 'catalogue.db'));
  const insert = database.prepare(
    'INSERT OR REPLACE INTO peaks (recording_id, peaks) SELECT id, ? FROM recordings WHERE id = ?',
  );
  for (let call = Math.max(0, calls - 200); call < calls; call += 1)
    insert.run(keeper.write(peaks, callId(call)), callId(call));
  database.close();
}

/** In the page: its day is that of the catalogue, and it tells when what was clicked for can be used. */
const inPage = (offMs: number): string => `
  globalThis.Date = class extends Date {
    constructor(...given) { if (given.length > 0) super(...given); else super(Date.now()); }
    static now() { return super.now() + ${offMs}; }
  };
  let clicked = 0;
  let before = '';
  const head = () => location.pathname + location.search + (document.querySelector('main')?.textContent ?? '').slice(0, 2000);
  addEventListener('click', (event) => { clicked = event.timeStamp; before = head(); performance.mark('clicked', { startTime: clicked }); }, true);
  addEventListener('change', (event) => { clicked = event.timeStamp; before = head(); }, true);
  globalThis.usable = (shown, from) => new Promise((resolve, reject) => {
    const began = performance.now();
    const look = () => {
      if (performance.now() - began > ${waitMs}) { reject(new Error('not usable: ' + head().slice(0, 300))); return; }
      const isThere = document.querySelector(shown) !== null && document.querySelector('main .waiting, [aria-busy=true]') === null;
      if (!isThere || (from === 'click' && (clicked === 0 || head() === before))) { requestAnimationFrame(look); return; }
      // Behind the frame in which it stands: it has been painted, and the page obeys again.
      requestAnimationFrame(() => setTimeout(() => {
        performance.mark('usable');
        const start = from === 'click' ? clicked : 0;
        clicked = 0;
        resolve(performance.measure('usable', { start, end: 'usable' }).duration);
      }));
    };
    look();
  });
`;

async function contextOf(browser: Browser, role: Role): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1_440, height: 900 }, locale: 'en', baseURL: web.url });
  context.setDefaultTimeout(waitMs);
  await context.addInitScript(inPage(at - Date.now()));
  await context.addCookies([{ name: 'preavis', value: role, url: web.url }]);

  return context;
}

const usable = (page: Page, shown: string, from: 'click' | 'start'): Promise<number> =>
  page.evaluate<number>(`usable(${JSON.stringify(shown)}, '${from}')`);

type Taken = { ms: number; busy: number };
const taken = new Map<string, Taken[]>();
function note(name: string, one: Taken): void {
  taken.set(name, [...(taken.get(name) ?? []), one]);
}

/** Processor time so far, ms: of the page, and of this process. */
type Busy = { page: number; own: number };

type Meter = { page: Page; read: () => Promise<Busy> };

async function meterOf(page: Page): Promise<Meter> {
  const debug = await page.context().newCDPSession(page);
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });

  return {
    page,
    read: async () => {
      const { metrics } = await debug.send('Performance.getMetrics');
      const { user, system } = process.cpuUsage();

      return {
        page: 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0),
        own: (user + system) / 1_000,
      };
    },
  };
}

async function measured({ read }: Meter, act: () => Promise<number>): Promise<Taken> {
  const before = await read();
  const ms = await act();
  const after = await read();
  // A navigation may have given it another process, whose time begins anew.
  const ofPage = after.page < before.page ? after.page : after.page - before.page;

  return { ms, busy: ofPage + after.own - before.own };
}

type Step = {
  name: string;
  act: (page: Page) => Promise<unknown>;
  /** What is there when it can be used. */
  shown: string;
};

const anything = 'main h1, main h2, main table, main .empty';
const table = 'table.calls a[data-row]';
const click =
  (selector: string) =>
  (page: Page): Promise<void> =>
    page.locator(selector).first().click();
const choose =
  (label: string, value: string) =>
  (page: Page): Promise<unknown> =>
    page.getByLabel(label, { exact: true }).selectOption(value);

/** Of the list, by who sees every call; each begins where the one before it ended. */
const listSteps: readonly Step[] = [
  { name: 'calls: the next page', act: click('.paging button:last-of-type'), shown: table },
  { name: 'calls: the first page again', act: click('.paging button:first-of-type'), shown: table },
  { name: 'calls: not recorded', act: choose('Result', 'unrecorded'), shown: table },
  { name: 'calls: recorded', act: choose('Result', 'recorded'), shown: table },
  { name: 'calls: a call', act: click('a[data-row]'), shown: '.call .columns' },
  { name: 'calls: back to the list', act: click('.way-back a'), shown: table },
  { name: 'calls: a period', act: click('.presets > button:nth-of-type(4)'), shown: table },
];

async function measure(meter: Meter, { name, act, shown }: Step): Promise<void> {
  const { page } = meter;
  note(
    name,
    await measured(meter, async () => {
      await act(page);

      return usable(page, shown, 'click');
    }),
  );
}

/** Each room that the role has, and what can be chosen within it; a room that is new is measured with the others. */
async function measureRooms(meter: Meter, role: Role): Promise<void> {
  const { page } = meter;
  const links = page.locator('nav.rooms a');
  const rooms = [...(await links.allTextContents()).entries()];
  // The first one is open.
  for (const [index, room] of rooms.toReversed()) {
    await measure(meter, { name: `${role}: ${room}`, act: () => links.nth(index).click(), shown: anything });
    const tabs = await page.locator('main .tabs a:not([aria-current])').count();
    for (let tab = 0; tab < tabs; tab += 1) {
      await measure(meter, {
        name: `${role}: ${room}, another tab`,
        act: () =>
          page
            .locator('main .tabs a')
            .nth(tab + 1)
            .click(),
        shown: anything,
      });
    }
  }
}

const browser = await openBrowser();
let isTooSlow = false;
try {
  const loadBefore = loadavg()[0] ?? 0;
  for (let time = 0; time < times; time += 1) {
    for (const role of roles) {
      const context = await contextOf(browser, role);
      const page = await context.newPage();
      const meter = await meterOf(page);
      note(
        `${role}: first`,
        await measured(meter, async () => {
          await page.goto('/calls', { waitUntil: 'commit' });

          return usable(page, anything, 'start');
        }),
      );
      await measureRooms(meter, role);
      if (role === 'officer') {
        await page.goto('/calls');
        await page.locator(table).first().waitFor();
        for (const step of listSteps) await measure(meter, step);
        await page.goto('/unrecorded');
        await page.locator('.summary').waitFor();
        await measure(meter, {
          name: 'not recorded: 90 days',
          act: () => page.locator('.heading select').selectOption('90'),
          shown: '.summary',
        });
      }
      await context.close();
    }
  }
  say(`${calls} calls, ${times} times each; Node ${process.versions.node}, Chromium ${browser.version()}`);
  say(`load ${loadBefore.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} behind`);
  for (const [name, all] of [...taken].toSorted(([one], [other]) => one.localeCompare(other))) {
    const sorted = ascending(all.map(({ ms }) => ms));
    const busy = quantile(ascending(all.map((one) => one.busy)), 0.5);
    const p95 = quantile(sorted, 0.95);
    const limit = name.endsWith(': first') ? firstLimitMs : clickLimitMs;
    const isSlow = p95 > limit;
    isTooSlow ||= isSlow;
    const figures = [0.5, 0.95, 1].map((part) => `${quantile(sorted, part).toFixed(0).padStart(5)} ms`);
    say(
      `${name.padEnd(36)} p50 ${figures[0] ?? ''}  p95 ${figures[1] ?? ''}  most ${figures[2] ?? ''}  busy p50 ${busy.toFixed(0).padStart(4)} ms${isSlow ? `  above ${limit} ms` : ''}`,
    );
  }
} finally {
  await browser.close();
  await web.stop();
  if (values.folder === undefined) await rm(folder, { recursive: true });
}
process.exitCode = isTooSlow ? 1 : 0;
