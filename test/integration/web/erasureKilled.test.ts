import { startStore, type LabStore } from '../../../lab/store/store.ts';
import { makeCallerHash } from '../../../src/call/plan/preferences.ts';
import { readCertificate } from '../../../src/retention/certificates/certificate.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { objectKeys } from '../../../src/store/objectKeys.ts';
import { callStart } from '../../support/call/calls.ts';
import { dayMs } from '../../support/catalogue/catalogues.ts';
import { runCommand, type CommandRun } from '../../support/command.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { byToken, everybody, openHouse, type House } from '../../support/web/house.ts';
import { stageCall, type StagedCall } from '../../support/web/stagedCalls.ts';
import { startWebAgain } from '../../support/web/webProcess.ts';

/** `kill -9` of the real `preavis web` and of commands while they erase what somebody has decided to erase; S3 is a real server. */

const folder = temporaryFolder();
const configFile = (): string => folder.path('preavis.yaml');
const shape = { line: 'default', extension: '101', status: 'archived' } as const;
const training = { ...shape, purposes: [{ name: 'training', over: false }] };
let store: LabStore;
let opened: House | undefined;
let tones = 0;

beforeAll(async () => {
  store = await startStore();
  await store.makeBucket('recordings');
  opened = await openHouse(folder.path(), store);
  await opened.web.stop();
});

afterAll(async () => {
  await opened?.stop();
  await store.stop();
});

const house = (): House => {
  if (opened === undefined) throw new Error('the house is not open yet');

  return opened;
};

const officer = everybody.find(({ name }) => name === 'officer-0');
if (officer === undefined) throw new Error('no officer');
const headers = { ...byToken(officer), 'content-type': 'application/json' };

const s3 = () => makeMinioStore({ ...store, useTls: false, bucket: 'recordings' });
const hashOf = (number: string): string => makeCallerHash('k'.repeat(32), 'BE')(number) ?? '';

/** A recording of whoever has this number. */
function staged(number: string, status: StagedCall['status'] = 'archived'): Promise<StagedCall> {
  const { catalogue, spoolFolder } = house();
  const ports = { catalogue, store: s3(), spoolFolder, caller: hashOf(number) };

  return stageCall(ports, { ...training, status }, toneWav(300 + (tones += 1)));
}

const run = (...args: string[]): Promise<CommandRun> => runCommand(['--config', configFile(), ...args]);
const retention = async (): Promise<unknown> => {
  const { code, stdout, stderr } = await run('retention', 'run', '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

  return JSON.parse(stdout);
};

/** The rules of its certificates. */
async function rulesOf({ recording }: StagedCall): Promise<unknown[]> {
  const certificates = await house().catalogue.certificates.of(recording);

  return Promise.all(certificates.map(async ({ jws }) => (await readCertificate(jws)).content.rule));
}

const leftOf = async ({ recording }: StagedCall): Promise<string[]> => {
  const { wav, receipt } = objectKeys(recording, callStart);

  return [...(await s3().versions(wav)), ...(await s3().versions(receipt))];
};

const statusOf = async ({ recording }: StagedCall): Promise<string | undefined> =>
  (await house().catalogue.recordings.find(recording))?.status;

/** What is asked while the server dies at this place; it must die. */
async function askedWhileKilled(place: string, path: string, body: unknown): Promise<void> {
  const web = await startWebAgain(configFile(), { PREAVIS_TEST_KILL_AT: place });
  try {
    await expect(web.ask(path, { method: 'POST', headers, body: JSON.stringify(body) })).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
  } finally {
    expect(await web.kill()).toBeNull();
  }
}

const places = ['asked', 'begun', 'object erased', 'local file removed', 'erased'].map(
  (place) => `retention, ${place}`,
);

test.each(places)(
  'what an officer has decided to erase is erased once by the next retention run, where the server was killed at: %s',
  async (place) => {
    const call = await staged('0475 00 00 01');
    const order = { ground: 'unlawful', reference: 'T-20' };
    await askedWhileKilled(place, `/recordings/${call.recording}/erasure`, order);
    expect(await statusOf(call)).toBe(place === 'retention, erased' ? 'erased' : 'archived');
    // What is half erased is nobody's loss.
    if (place === 'retention, object erased') {
      const compared = await run('recordings', 'reconcile', '--json');
      expect(compared.stdout).toMatch(/^\{/);
      expect(compared.stdout).not.toContain(call.recording);
    }
    await retention();
    expect([await statusOf(call), await leftOf(call)]).toEqual(['erased', []]);
    const rules = [{ kind: 'decided', article: 'GDPR art. 17(1)(d)', reference: 'T-20' }];
    expect(await rulesOf(call)).toEqual(rules);
    expect(await retention()).toMatchObject({ due: 0, erased: 0 });
    expect(await rulesOf(call)).toEqual(rules);
    const steps = await house().catalogue.auditTrail.of(call.recording);
    expect(steps.find(({ event }) => event === 'erasure decided')).toMatchObject({
      actor: 'token:officer-0',
      detail: { rule: 'decided', ground: 'unlawful', reference: 'T-20' },
    });
  },
);

test('a hold that is set after the server was killed keeps what was decided until it ends', async () => {
  const call = await staged('0475 00 00 02');
  await askedWhileKilled('retention, asked', `/recordings/${call.recording}/erasure`, { ground: 'objection' });
  const id = '01K00000000000000000000099';
  const { clock, catalogue } = { clock: Date.now(), catalogue: house().catalogue };
  const dates = { reviewAt: clock + dayMs, expiresAt: clock + 9 * dayMs };
  const hold = { id: id as never, recording: call.recording, ground: 'authority', ...dates } as const;
  await catalogue.legalHolds.set({ ...hold, reason: 'asked for', author: 'user alice' });
  expect(await retention()).toMatchObject({ erased: 0 });
  expect(await statusOf(call)).toBe('archived');
  await catalogue.legalHolds.release(id as never, 'user alice');
  expect(await retention()).toMatchObject({ erased: 1 });
  expect(await rulesOf(call)).toMatchObject([{ kind: 'decided' }]);
});

test('of a person whose erasure was killed in the middle the next retention run erases the rest, and the answer can be read', async () => {
  const number = '0475 00 00 03';
  const calls = [await staged(number), await staged(number), await staged(number)];
  const { call } = await staged(number, 'none');
  await askedWhileKilled('retention, erased', '/persons/erase', { number, controller: 'own', reference: 'DSR-3' });
  const before = await Promise.all(calls.map(statusOf));
  expect(before.toSorted()).toEqual(['archived', 'archived', 'erased']);
  const web = await startWebAgain(configFile());
  try {
    const read = async (path: string) => JSON.parse((await web.ask(path, { headers })).body.toString()) as unknown;
    const listed = (await read('/persons/erasures')) as { erasures: { id: string }[] };
    expect(listed.erasures).toMatchObject([{ askedBy: 'token:officer-0', controller: 'own', reference: 'DSR-3' }]);
    const path = `/persons/erasures/${listed.erasures[0]?.id ?? ''}`;
    const kinds = async (): Promise<string[]> =>
      ((await read(path)) as { recordings: { outcome: { kind: string } }[] }).recordings.map(
        ({ outcome }) => outcome.kind,
      );
    expect((await kinds()).toSorted()).toEqual(['erase', 'erase', 'erased']);
    expect(await read(path)).toMatchObject({ answer: null, unrecordedCalls: 1 });
    expect(await retention()).toMatchObject({ erased: 2 });
    expect(await kinds()).toEqual(['erased', 'erased', 'erased']);
    expect(await read(path)).toMatchObject({ answer: { html: expect.stringContaining('<!doctype html>') as string } });
    for (const each of calls) {
      expect(await leftOf(each)).toEqual([]);
      expect(await rulesOf(each)).toEqual([{ kind: 'subject', article: 'GDPR art. 17' }]);
    }
    expect(await house().catalogue.callers.callsOf(hashOf(number), '', 10)).toEqual([]);
    expect(await house().catalogue.calls.find(call)).toBeDefined();
  } finally {
    await web.stop();
  }
});

test.each(['retention, asked', 'retention, erased'])(
  'a command that erases for a person, killed at %s, is finished by the next retention run',
  async (place) => {
    const number = place === 'retention, asked' ? '0475 00 00 04' : '0475 00 00 05';
    const calls = [await staged(number), await staged(number)];
    await staged(number, 'none');
    await house().catalogue.preferences.set(hashOf(number), 'de', Date.now() + dayMs);
    const args = ['--config', configFile(), 'subject', 'erase', '--number', number, '--controller', 'own', '--apply'];
    const { stdout, stderr } = await runCommand(args, { PREAVIS_TEST_KILL_AT: place });
    expect(stdout + stderr).toBe('');
    await retention();
    expect(await Promise.all(calls.map(statusOf))).toEqual(['erased', 'erased']);
    expect((await Promise.all(calls.map(rulesOf))).map((rules) => rules.length)).toEqual([1, 1]);
    expect(await house().catalogue.callers.callsOf(hashOf(number), '', 10)).toEqual([]);
    // It is remembered for all companies, and one of them was asked.
    expect(await house().catalogue.preferences.find(hashOf(number))).toBe('de');
  },
);
