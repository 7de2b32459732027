import { statSync } from 'node:fs';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import { readWav, tonePresence } from '../../support/audio/audio.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };

let talks: Agent;
const at = useRig(async () => {
  const tone = await burstTone(1000);
  talks = await at.keep(startAgent({ behaviour: 'answer', tone }));
  const hangsUp = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 1500 }));
  return {
    extensions: { before: `${talks.dialString},20,line=before`, after: `${hangsUp.dialString},20,line=after` },
    config: { lines: { before: line, after: line } },
  };
});

const call = async (to: string) =>
  at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(440) }));

it('records the next call after Asterisk was killed, and repairs what was being recorded', async () => {
  const { rig } = at;
  const interrupted = await call('before');
  await eventually(async () => (await catalogueRecordings(rig))[0]?.status === 'recording');
  const [row] = await catalogueRecordings(rig);
  if (row === undefined) throw new Error('the call is being recorded');
  const file = spooledWav(rig, row.id);
  await eventually(() => statSync(file).size > 24_000);
  await rig.asterisk.kill();
  // Nobody sends sound to it any more. The next Asterisk may give that port to the next caller, and counts anew where two sources send in turn.
  await Promise.all([interrupted.stop(), talks.stop()]);
  await eventually(() => rig.log().some(({ msg }) => String(msg).startsWith('connection to Asterisk lost')));
  await rig.asterisk.start();
  await eventually(() => rig.log().filter(({ msg }) => msg === 'connected to Asterisk').length === 2);

  await at.onTime('after', async () => {
    const next = await call('after');
    expect(await next.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    const { id } = await finishedRecording(rig, 'after');
    expect(await showRecording(rig, id)).toMatchObject({ status: 'recorded', flags: [] });
    expect(tonePresence(readWav(spooledWav(rig, id)), 1000).length).toBeGreaterThanOrEqual(1);
  });

  expect(await endedCall(rig, 'before')).toMatchObject({ result: 'recorded' });
  await finishedRecording(rig, 'before');
  const repaired = await showRecording(rig, row.id);
  expect(repaired).toMatchObject({ status: 'recorded', flags: ['unwatched', 'header_repaired'] });
  expect(repaired.durationMs).toBeGreaterThan(1000);
  expect(tonePresence(readWav(file), 440).length).toBeGreaterThanOrEqual(1);
  await expectNobodyConnected(rig);
});
