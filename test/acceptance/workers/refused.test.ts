/**
 * A caller refuses while their worker cannot reach the database, and that one ends before it is back. The other worker has the call then. It knows of the
 * refusal: the recording that Asterisk has removed is not taken for a lost one.
 */
import { existsSync, readdirSync } from 'node:fs';
import { labPurpose } from '../../../lab/rig.ts';
import { burstTone } from '../../../lab/telephones/audio.ts';
import { startAgent } from '../../../lab/telephones/sip.ts';
import { workerNames } from '../../../src/config/workerNames.ts';
import { startTcpProxy, type TcpProxy } from '../../support/ari/tcpProxy.ts';
import { eventually } from '../../support/poll.ts';
import { StateMissed } from '../../support/rig/onTime.ts';
import { useCatalogueIn } from '../../support/rig/catalogueStores.ts';
import { expectNobodyConnected, spooledWav, useRig, writtenRecording } from '../../support/rig/rigs.ts';
import { callIn, hearsAgent, place, recordingOf } from '../../support/rig/workerCalls.ts';
import { useWorkers } from '../../support/rig/workers.ts';

const workers = useWorkers(() => at.rig);
const database = useCatalogueIn('postgres');
const agentHz = 1_000;
const at = useRig(async () => {
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), atOnce: 20 }));
  const words = 'Calls of the lab are recorded in order to see who knows of a refusal.';

  return {
    ...(await database()),
    idle: true,
    extensions: { refused: `${agent.dialString},20,line=refused` },
    config: {
      purposes: { training: { ...labPurpose('lab', words, 28), consent: 'optOut' } },
      lines: { refused: { purposes: ['training'], language: 'en', defaultLanguages: ['en'] } },
    },
  };
});

let way: TcpProxy;

beforeAll(async () => {
  way = await at.keep(startTcpProxy());
  way.leadTo(`http://${new URL(at.rig.database ?? '').host}`);
});

const startA = (): Promise<void> =>
  workers.start('a', {
    PREAVIS_CATALOGUE_POSTGRES_HOST: '127.0.0.1',
    PREAVIS_CATALOGUE_POSTGRES_PORT: String(way.port),
  });

it('is known to the other worker, and the recording is listed as refused', async () => {
  await at.onTime('refused', async () => {
    way.mend();
    try {
      // Alone, so that the call is this one's.
      await startA();
      const placed = await place(at, 'refused');
      const call = await callIn(at, 'refused', 'talking');
      const { id } = await writtenRecording(at.rig, 'refused', 8_000);
      await hearsAgent(placed);
      await workers.start('b');
      const since = workers.log('b').length;
      way.impair({ hole: ['toServer', 'toClient'] });
      way.reset();
      for (const digit of '*9') await placed.receiver.pressDigit(digit);
      const saidByB = (): unknown[] =>
        workers
          .log('b')
          .slice(since)
          .map(({ msg }) => msg);
      const taken = (): boolean => saidByB().includes('other worker away; its calls taken over');
      await eventually(() => taken() || !existsSync(spooledWav(at.rig, id)));
      if (taken()) throw new StateMissed('the worker lost its lease before its database had failed');
      await workers.kill('a');
      await workers.says('b', 'earlier call resumed', since);
      await hearsAgent(placed);
      await placed.call.hangUp();
      await eventually(async () => {
        expect(await callIn(at, 'refused', 'ended')).toMatchObject({
          id: call.id,
          result: 'unrecorded',
          reason: 'refused',
        });
        expect(await recordingOf(at, call)).toMatchObject({ id, status: 'discarded', failure: 'refused' });
      });
      expect(saidByB()).not.toContain('recording file missing');
      await eventually(() => {
        expect(readdirSync(at.rig.asterisk.spoolFolder).filter((name) => name.includes(id))).toEqual([]);
      });
      await expectNobodyConnected(at.rig);
    } finally {
      for (const worker of workerNames) if (workers.isRunning(worker)) await workers.kill(worker);
    }
  });
});
