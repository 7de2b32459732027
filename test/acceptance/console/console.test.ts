import { readFileSync } from 'node:fs';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall } from '../../../lab/telephones/sip.ts';
import { numberOfLiege } from '../../support/console/consoleLab.ts';
import {
  atOnceOn,
  faultsOn,
  inBrowser,
  positionOf,
  signIn,
  widerThanWindow,
  type Visit,
} from '../../support/console/pages.ts';
import { useConsole } from '../../support/console/useConsole.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueRecordings, showRecording } from '../../support/rig/rigs.ts';

/** The console on real calls: people sign in, find, hear, annotate and prove, and lose what they may see no more. */

const { at, opened, people } = useConsole();

const rowOf = (page: Visit['page'], line: string, cell: RegExp) =>
  page
    .locator('table.calls tr', { hasText: line })
    .filter({ has: page.locator('td').filter({ hasText: cell }) })
    .locator('a[data-row]');

/** The longest call, of the caller from Liège. */
async function openedCall(user: string): Promise<Visit['page']> {
  const page = await opened('/calls', user);
  // How long exactly says how fast the machine was.
  await rowOf(page, 'sales', /^0:[1-5]\d$/).click();
  await page.locator('.button-play').waitFor();
  await page.locator('#notes').waitFor();

  return page;
}

async function recordingOf(line: string): Promise<string> {
  const rows = await catalogueRecordings(at.rig);
  const shown = await Promise.all(rows.map(({ id }) => showRecording(at.rig, id)));
  const longest = shown
    .filter((each) => each.line === line)
    .toSorted((one, other) => other.durationMs - one.durationMs)[0];
  if (longest === undefined) throw new Error(`no recording of ${line}`);

  return longest.id;
}

inBrowser(
  'who types a wrong password is told no more than that, and who has a second factor is asked for it',
  async () => {
    const page = await opened('/calls');
    await page.locator('input[name=user]').fill('louis');
    await page.locator('input[name=password]').fill('a wrong password');
    await page.locator('.sign-in .button-main[type=submit]').click();
    await page.getByText('User name, password or code is wrong').waitFor();
    await page.locator('input[name=password]').fill('');
    await signIn(page, 'louis', people().codeOfLawyer());
    // The lawyer sees what is for agreements, and nothing else.
    await page.locator('table.calls').waitFor();
    expect(await page.locator('a[data-row]').count()).toBe(1);
    await page.locator('.menu summary').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.goto('/calls');
    await page.locator('input[name=user]').waitFor();
  },
);

inBrowser('who has lost their password comes in once, by a code of the operator', async () => {
  const made = await at.rig.preavis('users', 'code', 'olga', '--json');
  const { code } = JSON.parse(made.stdout) as { code: string };
  const page = await opened('/calls');
  const enter = async (typed: string): Promise<void> => {
    await page.getByLabel('Code for one sign-in').fill(typed);
    await page.locator('.sign-in details button[type=submit]').click();
  };
  await page.getByText('I have a code to sign in with once').click();
  expect(await faultsOn(page)).toEqual([]);
  await enter('AAAA-AAAA-AAAA');
  await page.getByText('This code is wrong, was used, or has ended').waitFor();
  await enter(code.toLowerCase());
  await page.locator('table.calls').waitFor();
  await page.locator('.menu summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('I have a code to sign in with once').click();
  await enter(code);
  await page.getByText('This code is wrong, was used, or has ended').waitFor();
});

inBrowser('a filter is in the address, and the address shows the same list again', async () => {
  const page = await opened('/calls', 'olga');
  await page.locator('table.calls').waitFor();
  expect(await page.locator('a[data-row]').count()).toBe(5);
  await page.getByLabel('Result', { exact: true }).selectOption('unrecorded');
  await page.waitForURL('**/calls?result=unrecorded');
  await eventually(async () => (await page.locator('a[data-row]').count()) === 1);
  await page.reload();
  await page.getByText('The recording was refused').waitFor();
  expect(await page.locator('a[data-row]').count()).toBe(1);
  await page.goBack();
  await eventually(async () => (await page.locator('a[data-row]').count()) === 5);
  await page.goto('/calls?line=nobody');
  await page.getByText('No call matches').waitFor();
});

inBrowser('purposes and lines are named by the words of the company, in the language of the reader', async () => {
  const page = await opened('/calls?line=sales&result=recorded', 'olga', { language: 'fr' });
  expect(await page.locator('.cell-purposes').last().innerText()).toBe('Formation');
  expect(await page.locator('.cell-line .line').last().innerText()).toBe('Ventes');
  await page.locator('.chip', { hasText: 'Ligne : Ventes' }).waitFor();
  await page.locator('.filters button[aria-expanded]').click();
  // Neither is kept here.
  expect(await page.getByLabel('Poste', { exact: true }).or(page.getByLabel('Numéro composé')).count()).toBe(0);
  await page.getByLabel('Finalité', { exact: true }).selectOption('Formation');
  await page.waitForURL('**purpose=training**');
  await page.locator('.chip', { hasText: 'Finalité : Formation' }).waitFor();
  await page.locator('a[data-row]').first().click();
  await page.locator('.purposes strong').getByText('Formation').waitFor();
  await page.locator('.heading').getByText('Ligne : Ventes').waitFor();
});

inBrowser('by the keyboard alone one goes through the list, opens a call, plays it and moves within it', async () => {
  const page = await opened('/calls?line=sales&result=recorded', 'anna');
  await page.locator('table.calls').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByText('Told first, then recorded').waitFor();
  await page.locator('.button-play').waitFor();
  await page.keyboard.press(' ');
  await eventually(async () => (await positionOf(page)) > 1_000);
  const before = await positionOf(page);
  await page.keyboard.press('l');
  await eventually(async () => (await positionOf(page)) >= before + 10_000);
  await page.keyboard.press('j');
  await eventually(async () => (await positionOf(page)) < before + 10_000);
  await page.keyboard.press('>');
  expect(await page.getByLabel('Speed').inputValue()).toBe('1.25');
  await page.keyboard.press(' ');
  const stopped = await positionOf(page);
  await page.keyboard.press('ArrowRight');
  await eventually(async () => (await positionOf(page)) >= stopped + 4_900);
  const box = await page.locator('.wave').boundingBox();
  if (box === null) throw new Error('there is no waveform');
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  const middle = Number(await page.locator('.seek').getAttribute('max')) / 2;
  await eventually(async () => Math.abs((await positionOf(page)) - middle) < 1_500);
  // What was played, and not what was jumped over, is in the audit trail.
  const id = await recordingOf('sales');
  await eventually(async () => {
    const { audit } = await showRecording(at.rig, id);

    return audit.some(({ event, actor }) => event === 'heard' && actor === 'user:anna');
  });
});

inBrowser('a key counts from when the list is seen, before the browser has painted it', async () => {
  const page = await opened('/collections', 'anna');
  const pressed = `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }))`;
  await atOnceOn(page, 'a[data-row]', pressed);
  await page.locator('.rooms').getByRole('link', { name: 'Calls', exact: true }).click();
  await page.locator('a[data-row]:focus').waitFor();
});

inBrowser('who only opens a call has not listened', async () => {
  const page = await openedCall('otto');
  await page.getByText('What happened').waitFor();
  const { audit } = await showRecording(at.rig, await recordingOf('sales'));
  expect(audit.filter(({ actor }) => actor === 'user:otto')).toEqual([]);
  // Who may not write has no empty places for it.
  await page.getByRole('group', { name: 'Collections' }).waitFor();
  expect(await page.getByRole('heading', { name: 'Rating', exact: true }).count()).toBe(0);
  expect(await page.getByText('Press C while you listen').count()).toBe(0);
});

inBrowser('a call shows its proof: who was told when, in which words, the answer, the gap and a hold', async () => {
  const page = await opened('/calls', 'olga');
  await rowOf(page, 'orders', /^German$/).click();
  await page.getByText('Asked, agreed, then recorded').waitFor();
  await page.locator('.words blockquote').first().waitFor();
  expect(await page.locator('.words blockquote').first().innerText()).toContain('Dieses Gespräch');
  expect(await page.locator('.words blockquote').first().getAttribute('lang')).toBe('de');
  await page.getByText(/Asked, and said yes with key 1 at \d\d:/).waitFor();
  await page.goBack();
  await rowOf(page, 'desk', /^English$/).click();
  await page.getByText('The called party put the other side on hold').waitFor();
  await page.locator('.mark-hold').waitFor({ state: 'attached' });
  expect(await page.locator('.mark-hold').count()).toBe(1);
  expect(await page.locator('.verdict-gap strong').innerText()).toMatch(/^[\d.]+ m?s$/);
});

const hostile = '<img src=x onerror="document.title=1"> "><script>document.title=2</script> ' + 'ä'.repeat(3_500);

inBrowser(
  'a comment is at its position, shown as it was typed, and a network that drops loses nothing of it',
  async () => {
    const page = await openedCall('anna');
    await page.getByLabel('Position in the recording').fill('12000');
    await page.keyboard.press('Tab');
    await page.locator('h1').click();
    await page.keyboard.press('c');
    // With what saves it: nobody has to look for that below the window.
    const save = page.getByRole('button', { name: 'Save', exact: true });
    await save.waitFor();
    await eventually(async () => {
      const box = await save.boundingBox();

      return box !== null && box.y + box.height <= 900;
    });
    await page.getByLabel('Comment', { exact: true }).fill(hostile);
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Préavis cannot be reached').waitFor();
    expect(await page.getByLabel('Comment', { exact: true }).inputValue()).toBe(hostile);
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.locator('.comments li').waitFor();
    // The focus is not lost with the form.
    await eventually(
      async () => (await page.evaluate<string>('document.activeElement.textContent')) === 'Write a comment',
    );
    expect(await page.locator('.comments .typed').innerText()).toBe(hostile);
    expect(await page.locator('.comments img, .comments script').count()).toBe(0);
    expect(await page.locator('.comment-head button').innerText()).toBe('0:12');
    expect(await page.locator('.mark-comment').count()).toBe(1);
    await page.getByLabel('Add a tag').fill('b'.repeat(41));
    await page.getByLabel('Add a tag').fill('welcome');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove the tag welcome' }).waitFor();
    await page.getByLabel('Greeting').selectOption('4');
    await page.getByRole('button', { name: 'Save the rating' }).click();
    await page.getByText('75 of 100').waitFor();
    // The tick is seen at once, and taken a moment later.
    const taken = page.waitForResponse((response) => response.url().includes('/collections/'));
    await page.getByLabel('Exemplary').check();
    expect((await taken).ok()).toBe(true);
    await page.goto('/collections/exemplary');
    await page.getByText('75 / 100').waitFor();
    expect(await faultsOn(page)).toEqual([]);
  },
);

inBrowser('a hold is set with what was typed, and released', async () => {
  const page = await opened('/calls', 'olga');
  await rowOf(page, 'orders', /^German$/).click();
  await page.getByRole('button', { name: 'Set a hold' }).click();
  await page.getByLabel('Reason, in your words').fill('<b>file 12</b>');
  expect(await faultsOn(page)).toEqual([]);
  // Closed by mistake it has lost nothing; and whoever leaves is asked.
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Set a hold' }).click();
  expect(await page.getByLabel('Reason, in your words').inputValue()).toBe('<b>file 12</b>');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Back to the calls' }).click();
  await page.getByRole('button', { name: 'Stay here' }).click();
  await page.getByRole('button', { name: 'Set a hold' }).click();
  const lastDay = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel('Last day').fill(lastDay);
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Set the hold' }).click();
  await page.getByText('Préavis cannot be reached').waitFor();
  expect(await page.getByLabel('Last day').inputValue()).toBe(lastDay);
  await page.context().setOffline(false);
  // Closed while it is under way, it is not asked for twice.
  let asked = 0;
  let answer = (): void => undefined;
  const mayGo = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route('**/holds', async (route) => {
    asked += 1;
    await mayGo;
    await route.continue();
  });
  await page.getByRole('button', { name: 'Set the hold' }).click();
  await eventually(() => asked === 1);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Set a hold' }).click();
  expect(await page.getByRole('button', { name: 'Set the hold' }).isDisabled()).toBe(true);
  answer();
  await page.getByText('<b>file 12</b>').waitFor();
  expect(asked).toBe(1);
  // The next one begins anew.
  await page.getByRole('button', { name: 'Set a hold' }).click();
  expect(await page.getByLabel('Reason, in your words').inputValue()).toBe('');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Release', exact: true }).click();
  await page.getByRole('button', { name: 'Release the hold' }).click();
  await page.getByText(/Released by olga/).waitFor();
});

inBrowser('a selection comes as a ZIP', async () => {
  const page = await opened('/calls?result=recorded', 'olga');
  await page.getByLabel('Select all recordings of this page').check();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download as ZIP' }).click();
  const file = await (await download).path();
  expect(readFileSync(file).subarray(0, 2).toString()).toBe('PK');
  expect(readFileSync(file).toString('latin1')).toContain('recordings.csv');
});

inBrowser('a session that ends while somebody plays stops the sound, and keeps what they had typed', async () => {
  const page = await openedCall('anna');
  await page.getByRole('button', { name: 'Write a comment' }).waitFor();
  await page.keyboard.press('c');
  await page.getByLabel('Comment', { exact: true }).fill('half a sentence');
  await page.locator('.button-play').click();
  await eventually(async () => (await positionOf(page)) > 500);
  expect((await at.rig.preavis('users', 'sign-out', 'anna')).code).toBe(0);
  await page.getByText('Your session has ended. Sign in again').waitFor();
  expect(await page.locator('.call').isVisible()).toBe(false);
  await signIn(page, 'anna');
  await page.getByLabel('Comment', { exact: true }).waitFor();
  expect(await page.getByLabel('Comment', { exact: true }).inputValue()).toBe('half a sentence');
  // What had ended with the session begins anew with it, where it was.
  await page.locator('.button-play').click();
  await eventually(async () => (await positionOf(page)) > 1_500);
  expect(await page.locator('.note-problem').count()).toBe(0);
});

inBrowser('a session that ends while a dialogue is open lets them sign in again, and go on in it', async () => {
  const page = await opened('/calls', 'olga');
  await rowOf(page, 'orders', /^German$/).click();
  await page.getByRole('button', { name: 'Set a hold' }).click();
  await page.getByLabel('Reason, in your words').fill('half a reason');
  expect((await at.rig.preavis('users', 'sign-out', 'olga')).code).toBe(0);
  // As when they come back to this window.
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await page.getByText('Your session has ended. Sign in again').waitFor();
  expect(await page.locator('dialog').isVisible()).toBe(false);
  await signIn(page, 'olga');
  await page.locator('dialog[open]').waitFor();
  expect(await page.getByLabel('Reason, in your words').inputValue()).toBe('half a reason');
  await page.getByRole('button', { name: 'Cancel' }).click();
  // The focus is not lost with it.
  await eventually(async () => (await page.evaluate<string>('document.activeElement.textContent')) === 'Set a hold');
});

inBrowser('calls that go on appear by themselves, and are gone when they end', async () => {
  const page = await opened('/live', 'otto');
  await page.getByText('No call goes on now').waitFor();
  expect(await faultsOn(page)).toEqual([]);
  const tone = await continuousTone(440);
  const call = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'sales', fromNumber: '+442070000001', tone }),
  );
  await page.locator('.live-call', { hasText: 'sales' }).waitFor();
  await page.locator('.live-call .tag-now').waitFor();
  expect(await faultsOn(page)).toEqual([]);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.locator('.live-call', { hasText: 'Paused' }).first().waitFor();
  await call.hangUp();
  await page.getByText('No call goes on now').waitFor();
});

/** Each page once, as the data protection officer sees it. */
async function eachPage(
  look: { language: string; theme: 'light' | 'dark' },
  judge: (page: Visit['page']) => Promise<string[]>,
) {
  const found: [name: string, faults: string[]][] = [];
  const page = await opened('/calls', undefined, { width: 360, ...look });
  const see = async (name: string, shown: string): Promise<void> => {
    await page.locator(shown).first().waitFor();
    const faults = await judge(page);
    if (faults.length > 0) found.push([name, faults]);
  };
  await see('sign in', 'input[name=user]');
  await signIn(page, 'olga');
  await see('calls', 'table.calls');
  expect(await page.locator('html').getAttribute('lang')).toBe(look.language);
  await page.locator('.filters button[aria-expanded]').click();
  await see('filters', '.filter-row + .filter-row');
  await page.locator('a[data-row]').last().click();
  await see('call', '.happened');
  await page.goto('/unrecorded');
  await see('not recorded', '.bars');
  await page.goto('/collections');
  await see('collections', '.tabs');
  await page.keyboard.press('?');
  await see('shortcuts', 'dialog[open]');

  return found;
}

inBrowser.each(['fr', 'nl', 'de', 'en'])('in %s nothing is wider than a small telephone', async (language) => {
  expect(await eachPage({ language, theme: 'light' }, widerThanWindow)).toEqual([]);
});

inBrowser.each(['light', 'dark'] as const)('axe finds nothing on any page, in %s', async (theme) => {
  expect(await eachPage({ language: 'nl', theme }, faultsOn)).toEqual([]);
});

inBrowser('a recording that is erased while somebody plays it is told to be gone', async () => {
  const page = await openedCall('anna');
  await page.keyboard.press(' ');
  await eventually(async () => (await positionOf(page)) > 500);
  const erased = await at.rig.preavis('subject', 'erase', '--number', numberOfLiege, '--controller', 'own', '--apply');
  expect(erased.stderr + erased.stdout).toContain('erased');
  await page.getByText('Your access to this recording has ended').waitFor();
  // The decision ends its purposes, and with them goes what a coach sees of it.
  await page
    .getByText(/(There is nothing here that you may see|The sound of this recording does not exist any more)\./)
    .waitFor();
});
