import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { typeOfSigned } from '../../../src/core/crypto/signing.ts';
import { headType } from '../../../src/retention/heads/chainHead.ts';
import { useCrashRig } from '../../support/rig/crashing.ts';
import { eventually } from '../../support/poll.ts';
import { filesBelow } from '../../support/rig/rigs.ts';

/** `kill -9` of the commands that send and erase recordings, and the same command again. Serve runs beside them, and takes calls. */

const at = useCrashRig();

/** One more recording for the stage. */
async function prepare(stage: string): Promise<void> {
  const before = (await at.rows()).length;
  await at.briefCall();
  await eventually(async () => (await at.rows()).filter(({ status }) => status === 'recorded').length > 0);
  expect(await at.rows()).toHaveLength(before + 1);
  if (stage === 'retention') expect(await at.rig.preavis('upload')).toMatchObject({ code: 0 });
}

/** Runs the command killed at each fail point that it passes with one recording, then as it is. */
async function expectCommandSurvives(args: readonly string[], status: string): Promise<void> {
  const { rig } = at;
  const stage = args[0] ?? '';
  await prepare(stage);
  const failPoints = await at.failPointsOf((trail) => rig.preavisWith(trail, ...args));
  const ofStage = failPoints.filter((failPoint) => failPoint.startsWith(stage));
  expect(ofStage.length).toBeGreaterThanOrEqual(4);
  for (const failPoint of ofStage) {
    try {
      await prepare(stage);
      expect(await rig.preavisWith({ PREAVIS_TEST_KILL_AT: failPoint }, ...args)).toMatchObject({ code: -1 });
      expect(await rig.preavis(...args)).toMatchObject({ code: 0 });
      await at.expectAllAgree();
      expect((await at.rows()).every((row) => row.status === status || row.status === 'erased')).toBe(true);
    } catch (error) {
      throw new Error(`killed at: ${failPoint}`, { cause: error });
    }
  }
}

beforeAll(() => at.rig.startServe());

it(
  'sends each recording once and whole, wherever upload is killed',
  () => expectCommandSurvives(['upload'], 'archived'),
  300_000,
);

it('erases what is due and leaves nothing of it, wherever retention is killed', async () => {
  await expectCommandSurvives(['retention', 'run'], 'erased');
  expect(at.objects()).toEqual([]);
  // The last pass has brought the certificates of all those before it to the ledger and the archive.
  const { stdout } = await at.rig.preavis('certificates', 'list', '--json');
  const { certificates } = JSON.parse(stdout) as { certificates: { recording: string; jws: string }[] };
  const erased = (await at.rows()).filter(({ status }) => status === 'erased').map(({ id }) => id);
  expect(certificates.map(({ recording }) => recording).sort()).toEqual(erased.sort());
  expect(await at.rig.preavis('certificates', 'verify')).toMatchObject({ code: 0 });
  const lines = readFileSync(join(at.rig.folder, 'erasures.jsonl'), 'utf8').trim().split('\n');
  const heads = lines.filter((line) => typeOfSigned(line) === headType);
  expect(lines.filter((line) => !heads.includes(line)).sort()).toEqual(certificates.map(({ jws }) => jws).sort());
  // A head that was copied when the process was killed may be in the ledger twice.
  expect(filesBelow(at.rig.archiveFolder)).toHaveLength(certificates.length + new Set(heads).size);
  expect(readdirSync(at.rig.asterisk.spoolFolder)).toEqual([]);
  expect(existsSync(at.rig.archiveFolder)).toBe(true);
}, 300_000);
