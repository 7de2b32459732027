import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { numberOfLiege } from '../../support/console/consoleLab.ts';
import { faultsOn, inBrowser, positionOf, signIn, widerThanWindow } from '../../support/console/pages.ts';
import { useConsole } from '../../support/console/useConsole.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueRecordings, showRecording } from '../../support/rig/rigs.ts';

/** Calls are found again: by number, by what people wrote, by a saved view, in a collection; and nothing typed is lost. */

const { at, opened } = useConsole();

const rows = (page: Page) => page.locator('a[data-row]');
const rowsAre = (page: Page, count: number) => eventually(async () => (await rows(page).count()) === count);

/** Asks the API in the name of who is signed in. */
const asked = (
  page: Page,
  path: string,
  asking: { method: string; body?: unknown; version?: number },
): Promise<number> =>
  page.evaluate(
    ([address, { method, body, version }]) =>
      fetch(`/api/v1${address}`, {
        method,
        headers: {
          'x-preavis-request': '1',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }).then(({ status }) => status),
    [path, asking] as const,
  );

/** Of each line the recording that was archived. */
async function recordings(): Promise<Record<string, string>> {
  const found = await catalogueRecordings(at.rig);
  const shown = await Promise.all(found.map(({ id }) => showRecording(at.rig, id)));

  return Object.fromEntries(
    shown.filter(({ status }) => status === 'archived').map(({ line, id }) => [line, id] as const),
  );
}

/** The steps of the audit trail about searches by number. */
function searchesIn(file: string): string[] {
  const database = openSqlite(file);
  try {
    return database
      .prepare<[], string>(`SELECT actor || ' ' || detail FROM audit WHERE event = 'searched by number'`)
      .pluck()
      .all();
  } finally {
    database.close();
  }
}

async function openSearch(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Search by number' }).click();
  await page.getByLabel('Why you search').selectOption('dispute');
  await page.getByLabel('Ticket or file').fill('T-1');
}

inBrowser('a number finds its calls, and stands in no address and in nothing that the browser keeps', async () => {
  const page = await opened('/calls', 'olga');
  await rowsAre(page, 5);
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  await openSearch(page);
  await page.getByLabel('Telephone number').fill('0032 4 200 00 00');
  await page.locator('.number-panel button[type=submit]').click();
  await rowsAre(page, 1);
  await page.getByText('Calls of the number that you typed').waitFor();
  // The other filters count as well.
  await page.getByLabel('Result', { exact: true }).selectOption('unrecorded');
  await page.getByText('No call of this number').waitFor();
  await page.getByLabel('Result', { exact: true }).selectOption('');
  await rowsAre(page, 1);
  await rows(page).first().click();
  await page.getByText('What happened').waitFor();
  await page.goBack();
  await rowsAre(page, 1);
  expect(await page.getByLabel('Telephone number').inputValue()).toBe('0032 4 200 00 00');
  const kept = await page.evaluate<string>(
    'JSON.stringify([location.href, history.state, {...localStorage}, {...sessionStorage}, document.title])',
  );
  expect(
    [...addresses, kept].filter((text) => /4\D*2\D*0\D*0\D*0\D*0\D*0/.test(text.replaceAll(/[0-9A-Z]{26}/g, ''))),
  ).toEqual([]);
  await page.getByRole('button', { name: 'End the search' }).click();
  await rowsAre(page, 5);
  await openSearch(page);
  expect(await page.getByLabel('Telephone number').inputValue()).toBe('');
  // Who has looked, and why, is known; the number is not.
  const steps = searchesIn(join(at.rig.folder, 'catalogue.db'));
  expect(steps.length).toBeGreaterThan(0);
  expect(steps.every((step) => step.includes('user:olga') && step.includes('dispute') && step.includes('T-1'))).toBe(
    true,
  );
  expect(steps.filter((step) => step.includes('200'))).toEqual([]);
});

inBrowser(
  'where calls came to several PBXs the list names each and finds by it, and with one it says nothing of it',
  async () => {
    const file = join(at.rig.folder, 'catalogue.db');
    const cameTo = (condition: string, pbx: string | null): void => {
      const database = openSqlite(file);
      database.prepare(`UPDATE calls SET pbx = ? WHERE ${condition}`).run(pbx);
      database.close();
    };
    const words = async (page: Page): Promise<string> => (await page.locator('.page').textContent()) ?? '';
    try {
      cameTo('TRUE', 'north');
      const one = await opened('/calls', 'olga');
      await rowsAre(one, 5);
      await one.getByRole('button', { name: 'More filters' }).click();
      expect(await words(one)).not.toMatch(/north|Telephone system/);
      cameTo(`line = 'orders'`, 'south');
      const page = await opened('/calls', 'olga');
      await rowsAre(page, 5);
      const inRows = () => page.locator('.cell-line').allInnerTexts();
      expect((await inRows()).map((text) => text.split('\n').at(-1)).toSorted()).toEqual([
        ...Array<string>(4).fill('north'),
        'south',
      ]);
      await page.getByRole('button', { name: 'More filters' }).click();
      await page.getByLabel('Telephone system').selectOption('south');
      await rowsAre(page, 1);
      expect(new URL(page.url()).searchParams.get('pbx')).toBe('south');
      await page.goto(new URL('/unrecorded', page.url()).href);
      await page.getByText('By telephone system').waitFor();
      await page.getByLabel('Telephone system').selectOption('south');
      await page.getByText('No call went on unrecorded').waitFor();
      for (const width of [360, 1_440]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(new URL('/calls', page.url()).href);
        await rowsAre(page, 5);
        expect(await widerThanWindow(page)).toEqual([]);
      }
    } finally {
      cameTo('TRUE', null);
    }
  },
);

inBrowser('who signs out leaves no number behind, and a page that is loaded anew has none', async () => {
  const page = await opened('/calls', 'olga');
  await openSearch(page);
  await page.getByLabel('Telephone number').fill(numberOfLiege);
  await page.locator('.number-panel button[type=submit]').click();
  await rowsAre(page, 1);
  await page.locator('.menu summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, 'olga');
  await rowsAre(page, 5);
  expect(await page.locator('.number-panel').count()).toBe(0);
});

inBrowser('a number that is none, and a network that drops, are told, and what was typed stays', async () => {
  const page = await opened('/calls', 'olga');
  await openSearch(page);
  const field = page.getByLabel('Telephone number');
  await field.fill('<script>alert(1)</script>');
  await page.locator('.number-panel button[type=submit]').click();
  await page.getByText('Something in this form cannot be used').waitFor();
  expect(await field.inputValue()).toBe('<script>alert(1)</script>');
  await field.fill(numberOfLiege);
  await page.context().setOffline(true);
  await page.locator('.number-panel button[type=submit]').click();
  await page.getByText('Préavis cannot be reached').waitFor();
  expect(await field.inputValue()).toBe(numberOfLiege);
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await rowsAre(page, 1);
});

inBrowser('a coach cannot search by number', async () => {
  const page = await opened('/calls', 'anna');
  await rows(page).first().waitFor();
  expect(await page.getByRole('button', { name: 'Search by number' }).count()).toBe(0);
});

inBrowser('calls are found by tag, score and collection, and the address shows the same again', async () => {
  const page = await opened('/calls', 'olga');
  await rowsAre(page, 5);
  const { sales = '', orders = '' } = await recordings();
  expect(
    await asked(page, `/recordings/${sales}/tags`, { method: 'PUT', body: { tags: ['éloge', 'vip'] }, version: 0 }),
  ).toBe(200);
  const criteria = [{ criterion: 'greeting', value: 4 }];
  expect(await asked(page, `/recordings/${sales}/rating`, { method: 'PUT', body: { criteria }, version: 1 })).toBe(200);
  expect(await asked(page, `/recordings/${orders}/collections/needs-work`, { method: 'PUT', body: {} })).toBe(204);
  await page.getByRole('button', { name: 'More filters' }).click();
  await page.getByLabel('Tag', { exact: true }).fill('Éloge');
  await page.keyboard.press('Enter');
  await rowsAre(page, 1);
  await page.getByLabel('Score, at least', { exact: true }).fill('76');
  await page.keyboard.press('Enter');
  await page.getByText('No call matches').waitFor();
  await page.getByLabel('Score, at least', { exact: true }).fill('75');
  await page.keyboard.press('Enter');
  await rowsAre(page, 1);
  expect(new URL(page.url()).searchParams.get('scoreFrom')).toBe('75');
  await page.reload();
  await rowsAre(page, 1);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByLabel('Collection', { exact: true }).selectOption('needs-work');
  await rowsAre(page, 1);
  // What cannot be a tag is not asked for, and stays to be mended.
  await page.getByLabel('Tag', { exact: true }).fill('<b>');
  await page.keyboard.press('Enter');
  expect(await page.getByLabel('Tag', { exact: true }).getAttribute('aria-invalid')).toBe('true');
});

inBrowser(
  'who is told no names of lines types one, is offered those of the calls they see, and finds by it',
  async () => {
    const all = await opened('/calls', 'olga');
    await rowsAre(all, 5);
    expect(await all.getByLabel('Line', { exact: true }).and(all.locator('select')).count()).toBe(1);
    const page = await opened('/calls', 'anna');
    await rows(page).first().waitFor();
    // They come in one answer.
    const seen = await rows(page).count();
    const field = page.getByLabel('Line', { exact: true });
    const offered = await page.locator(`[id="${(await field.getAttribute('list')) ?? ''}"] option`).all();
    expect(await Promise.all(offered.map((each) => each.getAttribute('value')))).toEqual(['desk', 'sales']);
    await field.fill(' desk ');
    await page.keyboard.press('Enter');
    await page.waitForURL('**line=desk*');
    await rowsAre(page, 1);
    // A line that may be there, for all that the page knows; and a text that names none.
    await field.fill('orders');
    await page.keyboard.press('Enter');
    await page.getByText('No call matches').waitFor();
    await field.fill('<b>');
    await page.keyboard.press('Enter');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(new URL(page.url()).searchParams.get('line')).toBe('orders');
    await field.fill('');
    await page.keyboard.press('Enter');
    await rowsAre(page, seen);
  },
);

const hostileName = '<img src=x onerror="document.title=1"> & "quoted"';

inBrowser('a view is saved under any name, for its user alone, and opens the list that it was', async () => {
  const page = await opened('/calls?result=recorded', 'olga');
  await rowsAre(page, 3);
  await page.getByRole('button', { name: 'Last 7 days' }).click();
  await page.waitForURL('**from=*');
  await page.getByText('Saved views').click();
  await page.getByLabel('Name of this view').fill(hostileName);
  await page.keyboard.press('Enter');
  await page.locator('.view a').waitFor();
  expect(await page.locator('.view a').innerText()).toBe(hostileName);
  await page.locator('.view').getByText('Last 7 days · Result: Recorded').waitFor();
  expect(await faultsOn(page)).toEqual([]);
  await page.goto('/calls');
  await rowsAre(page, 5);
  await page.getByText('Saved views').click();
  await page.locator('.view a').click();
  await rowsAre(page, 3);
  expect(new URL(page.url()).searchParams.get('result')).toBe('recorded');
  // Another user of this browser has views of their own.
  await page.locator('.menu summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, 'otto');
  await page.getByText('Saved views').click();
  await page.getByText('for you alone').waitFor();
  expect(await page.locator('.view').count()).toBe(0);
  await page.locator('.menu summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, 'olga');
  await page.getByText('Saved views').click();
  await page.getByRole('button', { name: `Remove the view ${hostileName}` }).click();
  expect(await page.locator('.view').count()).toBe(0);
});

inBrowser.each(['fr', 'nl', 'de', 'en'])('in %s the saved views are within a small telephone', async (language) => {
  const page = await opened('/calls?result=recorded', 'olga', { language, width: 360 });
  await rowsAre(page, 3);
  await page.locator('.views summary').click();
  const box = await page.locator('.views .menu-box').boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
});

/** A collection with the recordings of these lines, in this order. */
async function fillCollection(page: Page): Promise<void> {
  const known = await recordings();
  for (const line of ['desk', 'orders', 'sales']) {
    const path = `/recordings/${known[line] ?? ''}/collections/exemplary`;
    await asked(page, path, { method: 'DELETE' });
    expect(await asked(page, path, { method: 'PUT', body: {} })).toBe(204);
  }
}

async function openCollection(user: string): Promise<Page> {
  const page = await opened('/calls', user);
  await rows(page).first().waitFor();
  await fillCollection(page);
  await page.goto('/collections/exemplary');
  await page.locator('.collected').nth(2).waitFor();

  return page;
}

const linesOf = async (page: Page): Promise<string[]> =>
  (await page.locator('.collected .live-what p.quiet').allInnerTexts()).map(
    (text) => text.split(' · ')[0]?.toLowerCase() ?? '',
  );

const orderIs = (page: Page, lines: string[]) =>
  eventually(async () => {
    expect(await linesOf(page)).toEqual(lines);
  });

inBrowser('the order of a collection is changed by the keyboard, and the focus goes along', async () => {
  const page = await openCollection('olga');
  await orderIs(page, ['desk', 'orders', 'sales']);
  const last = page.locator('.collected').nth(2);
  await last.locator('[data-move="-1"]').focus();
  await page.keyboard.press('Enter');
  await orderIs(page, ['desk', 'sales', 'orders']);
  await page.getByRole('status').getByText('is now number 2').waitFor();
  expect(await page.evaluate('document.activeElement.closest("[data-item]").innerText.includes("Sales")')).toBe(true);
  await page.keyboard.press('Enter');
  await orderIs(page, ['sales', 'desk', 'orders']);
  // What the eye sees at once is told when it is taken.
  await page.getByRole('status').getByText('is now number 1').waitFor();
  await page.reload();
  await orderIs(page, ['sales', 'desk', 'orders']);
});

inBrowser('what is moved while another move is under way is moved as well, in that order', async () => {
  const page = await openCollection('olga');
  const held: (() => void)[] = [];
  await page.route('**/collections/exemplary', async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.continue();
  });
  await page.locator('.collected').nth(2).locator('[data-move="-1"]').click();
  await orderIs(page, ['desk', 'sales', 'orders']);
  await page.locator('.collected').nth(2).locator('[data-move="-1"]').click();
  await page.locator('.collected').nth(1).locator('[data-move="-1"]').click();
  await orderIs(page, ['orders', 'desk', 'sales']);
  // One at a time: each names its neighbour.
  expect(held).toHaveLength(1);
  for (const count of [1, 2, 3]) {
    await eventually(() => held.length === count);
    held[count - 1]?.();
  }
  await page.getByRole('status').getByText('is now number 1').waitFor();
  await orderIs(page, ['orders', 'desk', 'sales']);
  await page.unroute('**/collections/exemplary');
  await page.reload();
  await orderIs(page, ['orders', 'desk', 'sales']);
});

inBrowser('what is moved while the new order is read waits for it, so that no older one comes back', async () => {
  const page = await openCollection('olga');
  const held: (() => void)[] = [];
  let asked = 0;
  page.on('request', (request) => {
    if (request.method() === 'PUT') asked += 1;
  });
  await page.route('**/collections/exemplary/recordings?*', async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.continue();
  });
  const before = await linesOf(page);
  await page.locator('.collected').nth(2).locator('[data-move="-1"]').click();
  await eventually(() => held.length === 1);
  await page.locator('.collected').nth(1).locator('[data-move="-1"]').click();
  const wanted = [2, 0, 1].map((place) => before[place] ?? '');
  await orderIs(page, wanted);
  expect([asked, held.length]).toEqual([1, 1]);
  held[0]?.();
  await eventually(() => held.length === 2);
  await orderIs(page, wanted);
  held[1]?.();
  await page.getByRole('status').getByText('is now number 1').waitFor();
  await page.unroute('**/collections/exemplary/recordings?*');
  await page.reload();
  await orderIs(page, wanted);
});

inBrowser('it is changed by dragging, and goes back to what it was where that is not taken', async () => {
  const page = await openCollection('olga');
  const drag = async (from: number, to: number): Promise<void> => {
    const grip = await page.locator('.grip').nth(from).boundingBox();
    const goal = await page.locator('.collected').nth(to).boundingBox();
    if (grip === null || goal === null) throw new Error('there is nothing to drag');
    await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
    await page.mouse.down();
    await page.mouse.move(grip.x + 5, goal.y + goal.height / 2, { steps: 8 });
    await page.mouse.up();
  };
  await drag(0, 2);
  await orderIs(page, ['orders', 'sales', 'desk']);
  await page.getByRole('status').getByText('is now number 3').waitFor();
  await page.reload();
  await orderIs(page, ['orders', 'sales', 'desk']);
  await page.context().setOffline(true);
  await drag(2, 0);
  await page.getByText('Préavis cannot be reached').waitFor();
  await orderIs(page, ['orders', 'sales', 'desk']);
  await page.context().setOffline(false);
  // Who may not write has no handles.
  const other = await opened('/collections/exemplary', 'otto');
  await other.locator('.collected').first().waitFor();
  expect(await other.locator('.grip, [data-move]').count()).toBe(0);
});

inBrowser('what nobody lets them hear is not said to have ended', async () => {
  await openCollection('olga');
  const page = await opened('/collections/exemplary', 'otto');
  // What is for agreements operators do not hear.
  await page.locator('.collected', { hasText: 'orders' }).getByRole('button', { name: 'Play' }).click();
  await page.locator('.playlist').getByText('You may not hear this recording').waitFor();
  expect(await page.getByText('Your access to this recording has ended').count()).toBe(0);
  await page.keyboard.press('n');
  await eventually(async () => (await positionOf(page)) > 500);
});

inBrowser('a collection is played from one call to the next, and what was heard of each is known', async () => {
  const page = await openCollection('olga');
  await page.getByRole('button', { name: 'Play all' }).click();
  await page.getByText('Number 1 of 3').waitFor();
  await eventually(async () => (await positionOf(page)) > 500);
  // Both are short, and played to their ends.
  await page.getByText('Number 3 of 3').waitFor();
  await eventually(async () => (await positionOf(page)) > 500);
  expect(await faultsOn(page)).toEqual([]);
  const known = await recordings();
  for (const line of ['desk', 'orders']) {
    await eventually(async () => {
      const { audit } = await showRecording(at.rig, known[line] ?? '');

      return audit.some(({ event, actor }) => event === 'heard' && actor === 'user:olga');
    });
  }
  await page.keyboard.press('p');
  await page.getByText('Number 2 of 3').waitFor();
  await page.getByRole('button', { name: 'Close the player' }).click();
  expect(await page.locator('.playlist').count()).toBe(0);
});

/** The longest call, of the caller from Liège. */
async function openedCall(user: string): Promise<Page> {
  const page = await opened('/calls?line=sales&result=recorded', user);
  await rows(page).first().click();
  await page.locator('.button-play').waitFor();
  // What a key opens is there.
  await page.getByRole('button', { name: 'Write a comment' }).waitFor();

  return page;
}

inBrowser('sound that nobody answers for is told of, stops, and goes on when somebody answers again', async () => {
  const page = await openedCall('anna');
  await page.locator('.button-play').click();
  await eventually(async () => (await positionOf(page)) > 500);
  // What has been fetched plays on: only that nobody can be asked is new.
  let unanswered = 0;
  await page.route('**/peaks', (route) => {
    unanswered += 1;

    return route.abort();
  });
  await page.getByText('Préavis does not answer.').waitFor();
  await page.getByText('Stopped, since Préavis did not answer').waitFor();
  const stopped = await positionOf(page);
  const before = unanswered;
  await page.locator('.button-play').click();
  // The sentence is that of the second time.
  await eventually(() => unanswered > before);
  await page.getByText('Stopped, since Préavis did not answer').waitFor();
  expect((await positionOf(page)) - stopped).toBeLessThan(8_000);
  await page.unroute('**/peaks');
  await page.locator('.button-play').click();
  await eventually(async () => (await positionOf(page)) > stopped + 1_000);
  await eventually(async () => (await page.locator('.sound .note-problem').count()) === 0);
});

inBrowser('why it cannot be heard any more stays where play is asked for again', async () => {
  const page = await openedCall('anna');
  await page.locator('.button-play').click();
  await eventually(async () => (await positionOf(page)) > 500);
  await page.route('**/peaks', (route) => route.fulfill({ status: 404, json: { code: 'address_unknown' } }));
  const over = page.getByText('A recording can be heard for as long as a purpose of yours keeps it.');
  await over.waitFor();
  await page.keyboard.press('k');
  await page.keyboard.press('Space');
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  expect(await over.count()).toBe(1);
});

inBrowser('sound that the archive did not give plays with the next press', async () => {
  const page = await openedCall('anna');
  await page.route('**/audio', (route) => route.fulfill({ status: 503 }));
  await page.locator('.button-play').click();
  await page.getByText('The recording cannot be played at the moment.').waitFor();
  await page.unroute('**/audio');
  await page.locator('.button-play').click();
  await eventually(async () => (await positionOf(page)) > 500);
});

inBrowser('who leaves with a comment that is not saved is asked, by a link, the way back, and at the end', async () => {
  const page = await openedCall('anna');
  await page.keyboard.press('c');
  const text = page.getByLabel('Comment', { exact: true });
  await text.fill('half a sentence');
  await page.getByRole('link', { name: 'Collections' }).click();
  await page.getByText('Leave without saving?').waitFor();
  expect(await faultsOn(page)).toEqual([]);
  await page.getByRole('button', { name: 'Stay here' }).click();
  expect(await text.inputValue()).toBe('half a sentence');
  await page.goBack();
  await page.getByText('Leave without saving?').waitFor();
  await page.keyboard.press('Escape');
  expect(await text.inputValue()).toBe('half a sentence');
  expect(page.url()).toContain('/calls/0');
  // The browser asks who closes the window.
  const dialogue = page.waitForEvent('dialog');
  await page.close({ runBeforeUnload: true });
  const asking = await dialogue;
  expect(asking.type()).toBe('beforeunload');
  await asking.dismiss();
  await page.goBack();
  await page.getByRole('button', { name: 'Leave', exact: true }).click();
  await rows(page).first().waitFor();
  // With nothing typed nobody is asked.
  await page.goForward();
  await page.locator('.button-play').waitFor();
  await page.getByRole('link', { name: 'Collections' }).click();
  await page.locator('.tabs').waitFor();
});

/** Each page of finding, with all that can be opened in it. */
async function eachPage(page: Page, judge: (page: Page) => Promise<string[]>): Promise<[string, string[]][]> {
  const found: [string, string[]][] = [];
  const see = async (name: string): Promise<void> => {
    expect(await page.locator('h1').count()).toBe(1);
    const faults = await judge(page);
    if (faults.length > 0) found.push([name, faults]);
  };
  await signIn(page, 'olga');
  await rows(page).first().waitFor();
  await fillCollection(page);
  await page.goto('/calls?result=recorded');
  await rows(page).first().waitFor();
  await page.locator('.views summary').click();
  await page.locator('.views input').fill('W'.repeat(60));
  await page.keyboard.press('Enter');
  await page.locator('.view').waitFor();
  await see('views');
  await page.keyboard.press('Escape');
  await page.locator('.presets > .button').last().click();
  await page.locator('.filters button[aria-expanded]').click();
  await page.locator('#by-number').fill('4'.repeat(40));
  await see('search by number and all filters');
  await page.goto('/collections/exemplary');
  await page.locator('.button-main').click();
  await page.locator('.playlist').waitFor();
  await see('playlist');
  await page.goto('/live');
  await page.locator('h1').waitFor();
  await see('nothing');
  await page.goto('/calls/01KBJ3Q0V8Q4J2M9W6T5R1N7XA');
  await page.locator('.empty').waitFor();
  await see('no call');

  return found;
}

inBrowser.each(['fr', 'nl', 'de', 'en'])(
  'in %s nothing of it is wider than its window, narrow or wide',
  async (language) => {
    for (const width of [360, 1_440]) {
      const page = await opened('/calls', undefined, { width, language });
      expect(await eachPage(page, widerThanWindow)).toEqual([]);
    }
  },
);

inBrowser.each(['light', 'dark'] as const)('axe finds nothing in it, in %s', async (theme) => {
  for (const width of [360, 1_440]) {
    const page = await opened('/calls', undefined, { width, theme, language: 'de' });
    expect(await eachPage(page, faultsOn)).toEqual([]);
  }
});

inBrowser('who audits reads who did what, by person, event and day, and goes from a line to its call', async () => {
  const officer = await opened('/calls', 'olga');
  await openSearch(officer);
  await officer.getByLabel('Telephone number').fill(numberOfLiege);
  await officer.locator('.number-panel button[type=submit]').click();
  await rowsAre(officer, 1);

  const page = await opened('/audit', 'ada');
  const lines = page.locator('.trail tbody tr');
  await lines.first().waitFor();
  await page.getByLabel('What', { exact: true }).selectOption('searched by number');
  await page.waitForURL('**/audit?event=*');
  await eventually(async () => {
    const texts = await lines.allInnerTexts();
    expect(texts.filter((text) => !text.includes('searched by number'))).toEqual([]);
    expect(texts[0]).toMatch(/olga.*ground: dispute.*reference: T-1/s);
  });
  expect(await page.locator('.trail').innerText()).not.toContain('200');
  await lines.locator('th a').first().click();
  await page.waitForURL('**actor=user*');
  expect(await page.getByLabel('Who', { exact: true }).inputValue()).toBe('user:olga');
  await page.getByLabel('Up to', { exact: true }).fill('2020-01-01');
  await page.getByText('No line matches').waitFor();
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await lines.first().waitFor();
  // The short name is enough, and what cannot be a name is told.
  await page.getByLabel('Who', { exact: true }).fill('olga');
  await page.keyboard.press('Enter');
  await page.waitForURL('**actor=olga');
  await page.locator('.trail th', { hasText: 'user:olga' }).first().waitFor();
  await page.getByLabel('Who', { exact: true }).fill('<script>alert(1)</script>');
  await page.keyboard.press('Enter');
  await page.getByText('Something in this form cannot be used').waitFor();
  expect(await page.getByLabel('Who', { exact: true }).inputValue()).toBe('<script>alert(1)</script>');
  await page.goto('/audit');
  await lines.first().waitFor();
  for (const width of [360, 1_440]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await faultsOn(page)).toEqual([]);
  }
  await lines.locator('td a').first().click();
  await page.getByText('What happened').waitFor();
  const coach = await opened('/audit', 'anna');
  await coach.locator('h1', { hasText: 'There is nothing here' }).waitFor();
});
