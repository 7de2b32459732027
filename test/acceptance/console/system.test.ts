import type { Page } from 'playwright-core';
import { numberOfLiege } from '../../support/console/consoleLab.ts';
import { faultsOn, inBrowser, signIn, widerThanWindow } from '../../support/console/pages.ts';
import { useConsole } from '../../support/console/useConsole.ts';
import { eventually } from '../../support/poll.ts';

/** How Préavis does, and its figures: for who runs it, and who answers for it. */

const { opened } = useConsole();

const checkIsThere = (page: Page) => page.locator('.checks').first().waitFor();

inBrowser('the system page tells what check finds, by state, and when the jobs ran', async () => {
  const page = await opened('/system', 'otto');
  await checkIsThere(page);
  expect(await page.locator('.check-ok').count()).toBeGreaterThan(10);
  // What is wrong is told with what it is and what to do, above what is in order.
  expect(await page.locator('.check').first().getAttribute('class')).not.toContain('check-ok');
  await page.locator('.check-counts .tag-good').getByText('in order').waitFor();
  await page.getByText('Calls are watched').waitFor();
  const upload = page.locator('tr', { hasText: 'To the archive' });
  expect(await upload.locator('time').count()).toBe(2);
});

inBrowser(
  'what was found is told with its time, and once it is old as what was; looked at again it is anew',
  async () => {
    const page = await opened('/calls', 'otto');
    await page.locator('.rooms').waitFor();
    await page.clock.install();
    await page.goto('/system');
    await checkIsThere(page);
    await page.getByText('Calls are watched').waitFor();
    const lookedAt = () => page.locator('[aria-labelledby=check] time').getAttribute('datetime');
    const first = await lookedAt();
    expect(
      await page
        .locator('.verdict')
        .getByText(/^Looked at \d\d:\d\d:\d\d\.$/)
        .count(),
    ).toBe(1);
    await page.clock.fastForward('03:00');
    await page.locator('.verdict', { hasText: 'As it was on' }).waitFor();
    await page.locator('[aria-labelledby=check]').getByText('As it was on').waitFor();
    // Nothing says that it is so now.
    expect(await page.getByText('Calls are watched').count()).toBe(0);
    expect(await page.locator('.verdict-good, .verdict-fault').count()).toBe(0);
    expect(await faultsOn(page)).toEqual([]);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname + new URL(request.url()).search));
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('Calls are watched').waitFor();
    await eventually(async () => (await lookedAt()) !== first);
    expect(asked).toEqual(expect.arrayContaining(['/api/v1/system', '/api/v1/system/checks?anew=true']));
    expect(await page.getByText('As it was on').count()).toBe(0);
    // Where nobody answers, nobody knows how it is.
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.locator('.verdict', { hasText: 'As it was on' }).waitFor();
    await page.context().setOffline(false);
  },
);

inBrowser('a sentence that callers hear is played, one at a time, with its words and its seconds', async () => {
  const page = await opened('/system', 'otto');
  const sentence = page.locator('.sentence', { hasText: 'opt-out-ack' });
  expect(await sentence.locator('blockquote').innerText()).toContain('Your call will not be recorded');
  expect(await sentence.locator('.sentence-length').innerText()).toMatch(/^\d+\.\d s$/);
  await sentence.getByRole('button').click();
  await page.getByRole('button', { name: 'Stop opt-out-ack' }).waitFor();
  await page.getByRole('button', { name: 'Play opt-in-ack' }).click();
  await page.getByRole('button', { name: 'Play opt-out-ack' }).waitFor();
  // To its end.
  await page.getByRole('button', { name: 'Play opt-in-ack' }).waitFor();
  await page.getByRole('button', { name: 'French' }).click();
  expect(await page.locator('.sentence blockquote').first().getAttribute('lang')).toBe('fr');
});

inBrowser('a sentence whose sound is not there is told, and the others play on', async () => {
  const page = await opened('/system', 'otto');
  await page.route('**/opt-out/audio', (route) => route.fulfill({ status: 404, body: '' }));
  await page.getByRole('button', { name: 'Play opt-out', exact: true }).click();
  await page.getByText('The sentence cannot be played at the moment.').waitFor();
  await page.getByRole('button', { name: 'Play opt-in-ack' }).click();
  await page.getByRole('button', { name: 'Stop opt-in-ack' }).waitFor();
});

/** What the API tells where all is wrong. It is made up: a job is late after a quarter of an hour at the earliest. */
const allWrong = (told: object): object => ({
  ...told,
  servedAt: null,
  uploads: [
    { failure: 'archive_unreachable', recordings: 1_234_567, oldestAt: '2026-11-01T00:00:00.000Z' },
    { failure: null, recordings: 2, oldestAt: null },
  ],
  retention: { due: 3, overdue: 2, locked: 1, failedErasures: 4, unusable: 5 },
  webhooks: [{ name: 'a-webhook-with-a-name-of-forty-letters', waiting: 9, givenUp: 7, oldestWaitingAt: null }],
  alarms: [
    { alarm: 'serve_away', about: null, count: 1 },
    { alarm: 'pass_late', about: 'upload', count: 1 },
    { alarm: 'uploads_failing', about: 'archive_unreachable', count: 1_234_567 },
    { alarm: 'uploads_failing', about: '<img src=x onerror="document.title=1">', count: 1 },
    { alarm: 'recordings_overdue', about: null, count: 2 },
    { alarm: 'erasures_failing', about: null, count: 4 },
    { alarm: 'recordings_unusable', about: null, count: 5 },
    { alarm: 'webhooks_given_up', about: 'a-webhook-with-a-name-of-forty-letters', count: 7 },
  ],
});

async function withAllWrong(page: Page): Promise<void> {
  await page.route('**/api/v1/system', async (route) => {
    const answer = await route.fetch();
    // Who is not signed in yet is told so.
    if (!answer.ok()) await route.fulfill({ response: answer });
    else await route.fulfill({ response: answer, json: allWrong((await answer.json()) as object) });
  });
}

inBrowser('what needs attention comes first, in words, and nothing of it is read as markup', async () => {
  const page = await opened('/calls', 'otto');
  await page.locator('.rooms').waitFor();
  await withAllWrong(page);
  await page.goto('/system');
  await page.getByText('8 things need attention').waitFor();
  await page.getByText('A job is late: To the archive.').waitFor();
  await page.getByText('Recordings that the archive did not take (The archive does not answer.').waitFor();
  await page.getByText('<img src=x onerror="document.title=1">').first().waitFor();
  expect(await page.locator('#content img').count()).toBe(0);
  await page.getByText('No serve watches calls, never').waitFor();
});

inBrowser('figures count the calls that there were, as a plot and as its table', async () => {
  const page = await opened('/figures', 'olga');
  const plot = page.locator('.plot-card', { hasText: 'Calls a day, by result' });
  await plot.getByText('5 in all. Most on one day:').waitFor();
  await plot.getByText('As a table').click();
  const [head = '', today = ''] = await plot.locator('tr').allInnerTexts();
  expect(head.split('\t')).toEqual(['Day', 'Recorded', 'Not recorded', 'Not connected', 'In all']);
  const cells = await plot.locator('tbody tr td:last-child').allInnerTexts();
  expect(cells.reduce((sum, text) => sum + Number(text), 0)).toBe(5);
  expect(today).not.toBe('');
  expect(await plot.locator('svg .look-recorded').count()).toBeGreaterThan(0);
  await page.locator('.plot-card', { hasText: 'by language of the notice' }).getByText('French 2').waitFor();
  await page.locator('.card', { hasText: 'Storage, by purpose' }).getByText('2 recordings').waitFor();
  const seconds = page.locator('.card', { hasText: 'Seconds before the talk' });
  await seconds.getByRole('button', { name: 'Dutch' }).click();
  expect(await seconds.locator('.bar-count').first().innerText()).toMatch(/^\d+\.\d s$/);
  // They look after recordings, and not after the machine.
  expect(await page.getByText('Waiting for the archive').count()).toBe(0);
  await page.getByLabel('Period').selectOption('7');
  await page.waitForURL('**/figures?days=7');
  await plot.getByText('5 in all').waitFor();
  expect(await plot.locator('.plot-day').count()).toBe(7);
});

inBrowser('who sees every company counts all of them, or one of those that there are', async () => {
  const page = await opened('/figures', 'olga');
  const company = page.getByLabel('Company');
  await company.waitFor();
  expect(await company.locator('option').allInnerTexts()).toEqual(['All', 'acme', 'Own company']);
  await company.selectOption('acme');
  await page.waitForURL('**company=acme');
  await page.getByText('No calls in this time').waitFor();
  // What is kept is counted of all of them alone.
  expect(await page.getByText('Storage, by purpose').count()).toBe(0);
  await company.selectOption('Own company');
  await page.locator('.plot-card', { hasText: 'by result' }).getByText('5 in all').waitFor();
  // Whoever looks for a person says whose calls are meant.
  await page.goto('/persons');
  await company.waitFor();
  expect(await company.locator('option').allInnerTexts()).toEqual(['–', 'acme', 'Own company']);
  await page.getByLabel('Telephone number').fill(numberOfLiege);
  await company.selectOption('Own company');
  await page.getByRole('button', { name: 'Find', exact: true }).click();
  await page.locator('.outcomes li').first().waitFor();
});

inBrowser('a figure that cannot be had is told, with a way to try again, and the others stand', async () => {
  const page = await opened('/calls', 'olga');
  await page.locator('.rooms').waitFor();
  await page.route('**/figures/calls*', (route) => route.abort());
  await page.goto('/figures');
  await page.getByText('Préavis cannot be reached').waitFor();
  await page.getByText('Seconds before the talk').waitFor();
  await page.unroute('**/figures/calls*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.plot').first().waitFor();
});

inBrowser('a coach is shown neither, and an administrator is shown the system and no calls', async () => {
  const page = await opened('/system', 'anna');
  await page.locator('h1', { hasText: 'There is nothing here' }).waitFor();
  expect(await page.locator('.rooms a').allInnerTexts()).toEqual(['Calls', 'Collections', 'Live', 'Approvals']);
  const other = await opened('/', 'adam');
  await other.locator('h1', { hasText: 'No calls for your role' }).waitFor();
  expect(await faultsOn(other)).toEqual([]);
  await other.getByRole('link', { name: 'Go to the system' }).click();
  await checkIsThere(other);
});

/** Both pages with all that can be opened in them. */
async function eachPage(page: Page, judge: (page: Page) => Promise<string[]>): Promise<[string, string[]][]> {
  const found: [string, string[]][] = [];
  const see = async (name: string): Promise<void> => {
    expect(await page.locator('h1').count()).toBe(1);
    await page.evaluate("document.querySelectorAll('#content details').forEach((each) => { each.open = true; })");
    const faults = await judge(page);
    if (faults.length > 0) found.push([name, faults]);
  };
  await signIn(page, 'otto');
  await page.locator('.rooms').waitFor();
  await page.goto('/system');
  await checkIsThere(page);
  await page.locator('.sentence').first().waitFor();
  await see('system');
  await withAllWrong(page);
  await page.reload();
  await checkIsThere(page);
  await page.locator('.alarms').waitFor();
  await see('system where all is wrong');
  await page.goto('/figures?days=90');
  await eventually(
    async () => (await page.locator('.card').count()) >= 5 && (await page.locator('.waiting').count()) === 0,
  );
  await see('figures');

  return found;
}

inBrowser.each(['fr', 'nl', 'de', 'en'])('in %s neither is wider than its window, narrow or wide', async (language) => {
  for (const width of [360, 1_440]) {
    const page = await opened('/calls', undefined, { width, language });
    expect(await eachPage(page, widerThanWindow)).toEqual([]);
  }
});

inBrowser.each(['light', 'dark'] as const)('axe finds nothing on either, in %s', async (theme) => {
  for (const width of [360, 1_440]) {
    const page = await opened('/calls', undefined, { width, theme, language: 'fr' });
    expect(await eachPage(page, faultsOn)).toEqual([]);
  }
});
