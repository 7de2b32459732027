import { readFileSync } from 'node:fs';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { findInstallation } from '../../../lab/installation.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { logsSounds } from '../../../src/receipt/witness.ts';
import { startAriProxy, type AriProxy } from '../../support/ari/ariProxy.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  useRig,
} from '../../support/rig/rigs.ts';

const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };
/** Logs sounds exactly if the one of the lab does: a recording waits for the witness that its Asterisk has. */
const anotherVersion = logsSounds((await findInstallation()).version) ? '99.1.2' : '16.99.9';
let proxy: AriProxy;

const at = useRig(async () => {
  proxy = await at.keep(startAriProxy());
  const tone = await burstTone(1000);
  const talks = await at.keep(startAgent({ behaviour: 'answer', tone }));
  const hangsUp = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 1500 }));
  return {
    idle: true,
    extensions: {
      before: `${talks.dialString},20,line=before`,
      after: `${hangsUp.dialString},20,line=after`,
      refused: `${hangsUp.dialString},20,line=refused`,
      again: `${hangsUp.dialString},20,line=again`,
    },
    config: {
      ari: { url: proxy.url },
      lines: { before: line, after: line, refused: line, again: line },
    },
  };
});

beforeAll(async () => {
  proxy.leadTo(at.rig.asterisk.ariUrl);
  await at.rig.startServe();
});

const call = async (to: string) =>
  at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(440) }));

const said = (text: string): number => at.rig.log().filter(({ msg }) => msg === text).length;

it('learns what it missed although Asterisk refuses the first questions, and which Asterisk it has now', async () => {
  const { rig } = at;
  const version = rig.log().find(({ msg }) => msg === 'serving')?.['asterisk'];
  const placed = await call('before');
  await eventually(async () => (await catalogueRecordings(rig))[0]?.status === 'recording');

  proxy.cut();
  await eventually(() => said('connection to Asterisk lost; reconnecting') === 1);
  await placed.hangUp();
  proxy.refuse('/ari/channels', 2);
  proxy.pretendVersion(anotherVersion);
  proxy.mend();
  await eventually(() => said('connected to Asterisk') === 2);
  await eventually(() => said('calls not compared with Asterisk; will retry') === 2);
  // Nobody told that this call is over: only the third comparison can.
  expect(await endedCall(rig, 'before')).toMatchObject({ result: 'recorded', asterisk: { version } });
  expect(proxy.refusalsLeft()).toBe(0);

  const next = await call('after');
  expect(await next.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  const { id } = await finishedRecording(rig, 'after');
  await finishedRecording(rig, 'before');
  await expectNobodyConnected(rig);
  expect((await endedCall(rig, 'after')).asterisk).toMatchObject({ version: anotherVersion });
  expect((await rig.preavis('upload')).code).toBe(0);
  const archived = (await catalogueRecordings(rig)).find((each) => each.id === id);
  const receipt = readFileSync(`${rig.archiveFolder}/${archived?.receiptKey ?? ''}`, 'utf8');
  expect(JSON.parse(receipt)).toMatchObject({ asterisk: { version: anotherVersion } });
});

it('gives the calls back when Asterisk refuses every request, as with a password that is right no more, and takes them again', async () => {
  const { rig } = at;
  const connected = said('connected to Asterisk');
  const recordings = (await catalogueRecordings(rig)).length;
  proxy.refuse('/ari/asterisk/ping', Infinity);
  await eventually(() => said('Asterisk requests unanswered; reconnecting') === 1);
  await at.onTime('refused', async () => {
    const end = await (await call('refused')).ended;
    expect(end).toMatchObject({ status: 'answered', endedBy: 'callee' });
    // The dialplan dials without waiting for anybody.
    expect(end.answeredAfterMs).toBeLessThan(1_000);
  });
  expect((await catalogueRecordings(rig)).length).toBe(recordings);
  proxy.refuse('', 0);
  await eventually(() => said('connected to Asterisk') > connected);
  await (
    await call('again')
  ).ended;
  await finishedRecording(rig, 'again');
  await expectNobodyConnected(rig);
});
