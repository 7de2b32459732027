import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { somePeople } from '../../support/console/consoleLab.ts';
import {
  dutiesRig,
  makeDutyCalls,
  numberOfAgreement,
  numberOfNobody,
  numberOfRefusal,
  startSales,
  startWebWithClock,
} from '../../support/console/dutiesLab.ts';
import { atOnceOn, faultsOn, inBrowser, positionOf, widerThanWindow } from '../../support/console/pages.ts';
import { useConsoleOf } from '../../support/console/useConsole.ts';
import { eventually } from '../../support/poll.ts';

/** What the law asks, on the pages of the console: retention, requests of persons, approvals, evidence. */

const {
  at,
  web,
  opened: openedPage,
} = useConsoleOf({
  rig: async (rig) => dutiesRig(await rig.keep(startSales()), await somePeople()),
  makeCalls: makeDutyCalls,
  recordings: 4,
  startWeb: startWebWithClock,
});

async function opened(...where: Parameters<typeof openedPage>): Promise<Page> {
  const page = await openedPage(...where);
  await page.locator('.top').waitFor();

  return page;
}

async function openedCall(line: string, user: string, look: Parameters<typeof openedPage>[2] = {}): Promise<Page> {
  const page = await opened(`/calls?line=${line}&result=recorded`, user, look);
  await page.locator('a[data-row]').first().click();
  await page.locator('.happened').waitFor();

  return page;
}

const rooms = async (page: Page): Promise<string[]> => page.locator('.rooms a').allInnerTexts();
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const hostile = '<img src=x onerror="document.title=1"> "><script>document.title=2</script> ';

inBrowser('each role sees the pages that the API answers, and no others', async () => {
  const [coach, officer, operator, auditor] = await Promise.all(
    ['anna', 'olga', 'otto', 'ada'].map((user) => opened('/calls', user)),
  );
  if (coach === undefined || officer === undefined || operator === undefined || auditor === undefined) return;
  expect(await rooms(coach)).toEqual(['Calls', 'Collections', 'Live', 'Approvals']);
  expect(await rooms(officer)).toEqual([
    ...['Calls', 'Collections', 'Not recorded', 'Figures'],
    ...['Retention', 'Persons', 'Approvals', 'Audit trail'],
  ]);
  for (const path of ['/persons', '/retention']) {
    await coach.goto(path);
    await coach.getByText('There is nothing here').waitFor();
  }
  await operator.goto('/retention');
  await operator.locator('.tabs').waitFor();
  expect(await operator.locator('.tabs a').allInnerTexts()).not.toContain('Certificates');
  await auditor.goto('/retention/certificates');
  await auditor.getByText('Nothing has been erased yet').waitFor();
  await auditor.goto('/approvals');
  await auditor.getByText('You have asked for nothing').waitFor();
  // Who may not decide has no tab for it.
  expect(await auditor.locator('.tabs').count()).toBe(0);
});

inBrowser('a hold stands under retention with its reason as it was typed, and is released there', async () => {
  const page = await openedCall('complaints', 'olga', { zone: 'Europe/Brussels' });
  await button(page, 'Set a hold').click();
  const [year, month, day] = (await page.getByLabel('Last day').inputValue()).split('-');
  await page.getByLabel('Reason, in your words').fill(hostile + 'ä'.repeat(10_000));
  await button(page, 'Set the hold').click();
  await page.locator('.holds .typed').waitFor();
  // It ends at midnight of UTC, when in Brussels it is the day behind it.
  await page.locator('.holds').getByText(`until ${day}/${month}/${year}`).waitFor();
  await page.goto('/retention/upcoming');
  await page.getByText('Ends on').first().waitFor();
  expect(await page.locator('.live-call').count()).toBe(3);
  expect(await page.locator('.live-call .tag', { hasText: 'On hold' }).count()).toBe(1);
  await page.goto('/retention/held');
  // The field takes a thousand signs.
  const typed = (hostile + 'ä'.repeat(10_000)).slice(0, 1_000);
  await page.locator('.held .typed').waitFor();
  expect(await page.locator('.held .typed').innerText()).toBe(typed);
  expect(await page.locator('.held img, .held script').count()).toBe(0);
  expect(await faultsOn(page)).toEqual([]);
  await page.setViewportSize({ width: 360, height: 900 });
  expect(await widerThanWindow(page)).toEqual([]);
  await button(page, 'Release').click();
  await page.context().setOffline(true);
  await button(page, 'Release the hold').click();
  await page.getByText('Préavis cannot be reached').waitFor();
  // Nothing is shown as done that is not.
  expect(await page.locator('.held').count()).toBe(1);
  await page.context().setOffline(false);
  await button(page, 'Release the hold').click();
  await page.getByText('No hold keeps a recording').waitFor();
});

inBrowser('a coach asks to listen, another approves for a while, and the player opens by itself', async () => {
  const coach = await openedCall('complaints', 'anna');
  await coach.getByText('This recording is heard on approval').waitFor();
  expect(await coach.locator('.button-play').count()).toBe(0);
  await button(coach, 'Ask to listen').click();
  const reason = (hostile + 'ä'.repeat(10_000)).slice(0, 500);
  await coach.getByLabel('Reason').fill(hostile + 'ä'.repeat(10_000));
  expect(await faultsOn(coach)).toEqual([]);
  await coach.context().setOffline(true);
  await button(coach, 'Send the request').click();
  await coach.getByText('Préavis cannot be reached').waitFor();
  await coach.context().setOffline(false);
  await button(coach, 'Cancel').click();
  await button(coach, 'Ask to listen').click();
  expect(await coach.getByLabel('Reason').inputValue()).toBe(reason);
  await button(coach, 'Send the request').click();
  await coach.getByText('Your request is open until').waitFor();

  const officer = await opened('/approvals', 'olga');
  await officer.getByText('anna asked on').waitFor();
  expect(await officer.locator('.request .typed').innerText()).toBe(reason);
  await officer.locator('.request a').waitFor();
  expect(await faultsOn(officer)).toEqual([]);
  await officer.getByLabel('May listen for').selectOption('24');
  await button(officer, 'Approve').click();
  await officer.getByText('The company allows less').waitFor();
  await officer.getByLabel('May listen for').selectOption('1');
  await officer.context().setOffline(true);
  await button(officer, 'Approve').click();
  await officer.getByText('Préavis cannot be reached').waitFor();
  expect(await officer.getByLabel('May listen for').inputValue()).toBe('1');
  await officer.context().setOffline(false);
  await button(officer, 'Approve').click();
  await officer.getByText('Nothing waits for you').waitFor();

  await coach.locator('.button-play').waitFor();
  await coach.getByText('Approved: you may listen until').waitFor();
  await coach.locator('.button-play').click();
  await eventually(async () => (await positionOf(coach)) > 500);
  web().setClock('+2h');
  await coach.getByText('Your access to this recording has ended').waitFor();
  await coach.reload();
  await coach.getByText('This recording is heard on approval').waitFor();
  web().setClock('+0');
});

inBrowser('a request that was refused is told so, to who asked', async () => {
  const coach = await openedCall('sales', 'anna');
  await button(coach, 'Ask to listen').click();
  await coach.getByLabel('Reason').fill('To see how it went');
  await button(coach, 'Send the request').click();
  await coach.getByText('Your request is open until').waitFor();
  const officer = await opened('/approvals', 'olga');
  await button(officer, 'Refuse').click();
  await officer.getByText('Nothing waits for you').waitFor();
  await coach.getByText('olga refused it on').waitFor();
  await coach.goto('/approvals');
  await coach.locator('.request', { hasText: 'To see how it went' }).getByText('Refused', { exact: true }).waitFor();
});

inBrowser('a bundle of evidence comes in one click, and the command finds it whole', async () => {
  const page = await openedCall('orders', 'olga');
  const download = page.waitForEvent('download');
  await button(page, 'Download the bundle').click();
  const file = join(at.rig.folder, 'bundle.zip');
  await (await download).saveAs(file);
  await page.getByText('The bundle was handed to the browser').waitFor();
  expect(await faultsOn(page)).toEqual([]);
  const { stdout } = await at.rig.preavis('evidence', 'verify', file, '--json');
  const { key } = JSON.parse(stdout) as { key: { kid: string } };
  expect(await at.rig.preavis('evidence', 'verify', file, '--key', key.kid)).toMatchObject({ code: 0 });
  // Who may not hear it, as nobody has approved that, is not offered one.
  const other = await openedCall('sales', 'olga');
  await other.getByText('This recording is heard on approval').waitFor();
  expect(await button(other, 'Download the bundle').count()).toBe(0);
});

inBrowser('of a selection comes as a ZIP what they may take, and the rest is said to be refused', async () => {
  const page = await opened('/calls?result=recorded', 'olga');
  await page.getByLabel('Select all recordings of this page').check();
  await button(page, 'Download as ZIP').click();
  // What is for training is heard on approval only.
  await page.getByText('Some of these could not be taken').waitFor();
  await page.getByText('1 recording selected').waitFor();
  const download = page.waitForEvent('download');
  await button(page, 'Download as ZIP').click();
  expect(readFileSync(await (await download).path()).toString('latin1')).toContain('recordings.csv');
});

/** Each page once, as the data protection officer sees it. */
async function eachPage(
  look: { language: string; theme: 'light' | 'dark'; width: number },
  judge: (page: Page) => Promise<string[]>,
): Promise<[name: string, faults: string[]][]> {
  const found: [name: string, faults: string[]][] = [];
  const page = await opened('/retention', 'olga', look);
  const see = async (name: string, shown: string): Promise<void> => {
    await page.locator(shown).first().waitFor();
    const faults = await judge(page);
    if (faults.length > 0) found.push([name, faults]);
  };
  for (const list of ['due', 'overdue', 'upcoming', 'held', 'certificates']) {
    await page.goto(`/retention/${list}`);
    await see(list, '.empty, .live-call');
  }
  if (look.width < 500) {
    await page.locator('.rooms-open').click();
    await see('menu', '.rooms .is-open');
    expect(await page.locator('.rooms a').count()).toBe(8);
    await page.keyboard.press('Escape');
    expect(await page.locator('.rooms .is-open').count()).toBe(0);
  }
  await page.goto('/approvals/own');
  await see('approvals', '.empty, .request');
  await page.goto('/persons');
  await page.locator('#person-number').fill(numberOfAgreement);
  await see('find', '.fields');
  await page.locator('form button[type=submit]').click();
  await see('found', '.outcomes li');
  await page.locator('[aria-labelledby=erase] .button-main').click();
  await see('confirm', 'dialog[open]');

  return found;
}

inBrowser.each(['fr', 'nl', 'de', 'en'])('in %s nothing is wider than the window', async (language) => {
  expect(await eachPage({ language, theme: 'light', width: 360 }, widerThanWindow)).toEqual([]);
  expect(await eachPage({ language, theme: 'dark', width: 1_440 }, widerThanWindow)).toEqual([]);
});

inBrowser.each(['light', 'dark'] as const)('axe finds nothing on any page, in %s', async (theme) => {
  expect(await eachPage({ language: 'nl', theme, width: 360 }, faultsOn)).toEqual([]);
});

inBrowser('what cannot be a number is told beside the field, and what was typed stays', async () => {
  const page = await opened('/persons', 'olga');
  await page.getByLabel('Telephone number').fill(hostile + '1'.repeat(10_000));
  await page.getByLabel('Reference').fill('a'.repeat(10_000));
  await button(page, 'Find').click();
  await page.getByText('This is not a telephone number.').waitFor();
  expect(await page.getByLabel('Telephone number').inputValue()).toBe(hostile.slice(0, 40));
  expect(await page.getByLabel('Reference').inputValue()).toBe('a'.repeat(40));
  await page.getByLabel('Telephone number').fill(numberOfNobody);
  await page.context().setOffline(true);
  await button(page, 'Find').click();
  await page.getByText('Préavis cannot be reached').waitFor();
  expect(await page.getByLabel('Telephone number').inputValue()).toBe(numberOfNobody);
  await page.context().setOffline(false);
  await button(page, 'Find').click();
  await page.getByText('Nothing is kept of this number').waitFor();
  await page.getByLabel('Language of the person').selectOption('de');
  await button(page, 'Write the answer …').click();
  await button(page, 'Erase and answer').click();
  await page.getByText('Antwort auf Ihren Antrag auf Löschung').waitFor();
  expect(await page.locator('.letter').getAttribute('lang')).toBe('de');
});

inBrowser('a number typed before the browser has painted the page is the one that is looked for', async () => {
  const page = await opened('/retention', 'olga');
  const typed = `it.value = '${numberOfAgreement}'; it.dispatchEvent(new InputEvent('input', { bubbles: true }))`;
  await atOnceOn(page, '#person-number', typed);
  await page.locator('.rooms').getByRole('link', { name: 'Persons' }).click();
  await button(page, 'Find').click();
  await page.locator('.outcomes li').first().waitFor();
});

inBrowser('a company that was added since the page was opened is asked for, and what was typed stays', async () => {
  const page = await opened('/persons', 'olga');
  await page.getByLabel('Telephone number').fill(numberOfNobody);
  expect(await page.getByLabel('Company').count()).toBe(0);
  const faults = [{ where: 'body.controller', message: 'is missing: there are several companies' }];
  await page.route('**/persons/find', (route) =>
    route.fulfill({ status: 400, json: { code: 'request_invalid', faults } }),
  );
  await page.route('**/api/v1/me', async (route) => {
    const response = await route.fetch();
    const me = (await response.json()) as object;
    await route.fulfill({ response, json: { ...me, companies: ['acme', 'own'] } });
  });
  await button(page, 'Find').click();
  await page.getByText('There are several companies. Name the one that is asked.').waitFor();
  await page.getByLabel('Company').selectOption('acme');
  expect(await page.getByLabel('Telephone number').inputValue()).toBe(numberOfNobody);
});

inBrowser('of who refused it is said what there is, and that whose call it was is forgotten', async () => {
  const page = await opened('/persons', 'olga');
  await page.getByLabel('Telephone number').fill(numberOfRefusal);
  await button(page, 'Find').click();
  await page.locator('#see').waitFor();
  expect(await page.locator('[aria-labelledby=see]').innerText()).toMatch(/1 call without a recording|Erased before/);
});

/** Lines of the audit trail about searches; they tell of no recording. */
function searches(): unknown[] {
  const database = openSqlite(join(at.rig.folder, 'catalogue.db'), { readonly: true });
  try {
    return database.prepare(`SELECT actor, detail FROM audit WHERE event = 'searched by number' ORDER BY id`).all();
  } finally {
    database.close();
  }
}

inBrowser('a person asks: found, given a copy, erased but for what must stay, answered in their language', async () => {
  const page = await opened('/persons', 'olga');
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  await page.getByLabel('Telephone number').fill(numberOfAgreement);
  await page.getByLabel('Reference').fill('T-2026/14');
  await button(page, 'Find').click();
  // What stays is said before, and why.
  const listed = page.locator('.outcomes > li');
  await listed.filter({ hasText: 'Would be erased' }).waitFor();
  await listed
    .filter({ hasText: 'Stays' })
    .getByText('needed for legal claims: agreement (GDPR art. 17(3)(e))')
    .waitFor();
  const download = page.waitForEvent('download');
  await button(page, 'Download the copy').click();
  expect(
    readFileSync(await (await download).path())
      .subarray(0, 2)
      .toString(),
  ).toBe('PK');
  await page.getByText('Calls in it: 2.').waitFor();

  // The connection is lost before anything is done: nothing is shown as erased, nor as kept.
  await page.route('**/persons/erase', (route) => route.abort());
  await button(page, 'Erase 1 recording …').click();
  await page.getByText('1 recording stays').waitFor();
  await button(page, 'Erase and answer').click();
  await page.getByText('The connection was lost while it was being erased').waitFor();
  expect(await listed.count()).toBe(0);
  expect(await button(page, 'Look again').isDisabled()).toBe(true);
  await button(page, 'Read the answer').click();
  await page.getByText('Nothing has been begun so far.').waitFor();
  await page.unroute('**/persons/erase');
  await button(page, 'Look again').click();
  await listed.filter({ hasText: 'Would be erased' }).waitFor();

  // It is lost behind it: what waits is read.
  await page.route('**/persons/erase', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await button(page, 'Erase 1 recording …').click();
  await button(page, 'Erase and answer').click();
  await page.getByText('The connection was lost while it was being erased').waitFor();
  await button(page, 'Read the answer').click();
  await page.getByText('Réponse à votre demande d’effacement').waitFor();
  expect(await page.locator('.letter').getAttribute('lang')).toBe('fr');
  expect(await page.locator('.letter').innerText()).not.toContain(numberOfAgreement);
  await page.getByText('The answer is not saved yet.').waitFor();
  // It is still there after a look at another page.
  await page.getByRole('link', { name: 'Retention' }).click();
  await page.getByRole('link', { name: 'Persons' }).click();
  // Nobody signs out without it by mistake.
  await page.getByRole('link', { name: 'Retention' }).click();
  await page.locator('.menu summary').click();
  await button(page, 'Sign out').click();
  await page.locator('dialog[open]').getByText('Something is not saved yet').waitFor();
  await button(page, 'Stay here').click();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Persons' }).click();
  const answer = page.waitForEvent('download');
  await button(page, 'Save the answer').click();
  expect(readFileSync(await (await answer).path(), 'utf8')).toContain('Réponse à votre demande d’effacement');
  await page.getByText('The answer was handed to the browser').waitFor();
  expect(await faultsOn(page)).toEqual([]);

  const digits = numberOfAgreement.slice(1);
  expect(addresses.filter((address) => address.includes(digits))).toEqual([]);
  expect(
    await page.evaluate<string>('location.href + JSON.stringify(history.state) + JSON.stringify(localStorage)'),
  ).not.toContain(digits);
  const searched = searches();
  const detail = expect.stringContaining('T-2026/14') as unknown;
  expect(searched).toContainEqual({ actor: 'user:olga', detail });
  expect(JSON.stringify(searched)).not.toContain(digits);

  await page.getByRole('link', { name: 'Retention' }).click();
  await page.getByRole('link', { name: 'Certificates' }).click();
  await page.getByRole('button', { name: 'Show certificate 1' }).click();
  await page.locator('dialog[open]').getByText('The person concerned asked for it (GDPR art. 17)').waitFor();
  expect(await faultsOn(page)).toEqual([]);
  const jws = page.waitForEvent('download');
  await button(page, 'Save as a file (JWS)').click();
  expect(readFileSync(await (await jws).path(), 'utf8').split('.')).toHaveLength(3);
  await page.keyboard.press('Escape');
  await page.goto('/calls?status=erased');
  await page.setViewportSize({ width: 360, height: 900 });
  await page.locator('tbody tr:not(.day)').getByText('Erased').first().waitFor();
  await page.locator('a[data-row]').first().click();
  await page.getByRole('button', { name: 'Show certificate 1' }).click();
  await page.locator('dialog[open]').getByText('Valid, by a key that Préavis trusts').waitFor();
  // Its purposes ended with the decision, not on a day that is still to come, and nothing is written about it any more.
  const overSince = await page.locator('.purposes .tag').allInnerTexts();
  const days = overSince.map((text) =>
    /^over since (\d\d)\/(\d\d)\/(\d{4})$/.exec(text)?.slice(1).toReversed().join('-'),
  );
  expect(days.length).toBeGreaterThan(0);
  for (const day of days) expect(Date.parse(day ?? 'no day')).toBeLessThanOrEqual(Date.now());
  expect(await page.locator('#notes').count()).toBe(0);
});

inBrowser('an address with the cursor of somebody else leads to the first page', async () => {
  const page = await opened('/retention/upcoming?cursor=another', 'olga');
  for (const [path, shown] of [
    ['/retention/upcoming', '.live-call'],
    ['/approvals/own', '.empty, .request'],
    ['/calls?result=recorded', 'a[data-row]'],
  ] as const) {
    await page.goto(`${path}${path.includes('?') ? '&' : '?'}cursor=another`);
    await page.locator(shown).first().waitFor();
    expect(page.url()).toBe(web().url + path);
  }
});

inBrowser('what a pass has missed stands under due and overdue', async () => {
  web().setClock('+31d');
  const page = await opened('/retention', 'olga');
  await page.getByText('Ended on').first().waitFor();
  await page.getByRole('link', { name: 'Overdue' }).click();
  await page.locator('.note-problem').getByText('A daily pass should have erased these').waitFor();
  await page.locator('.live-call .tag-fault').first().waitFor();
  expect(await faultsOn(page)).toEqual([]);
  web().setClock('+0');
});
