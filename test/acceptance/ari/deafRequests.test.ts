import type { Call } from '../../../lab/telephones/sip.ts';
import { connected, lost, useFaultyRig, useOperator } from '../../support/rig/faultyRig.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
} from '../../support/rig/rigs.ts';

/** Requests vanish on the way to Asterisk while its events come as ever. All limits are the defaults. */

const at = useFaultyRig({ patient: ['talking', 'brieflydeaf'], brief: ['announced', 'meanwhile', 'after'] });
const operator = useOperator(at);

const isRepeated = (effect: string): boolean =>
  at.rig.log().some((line) => line['msg'] === 'request to Asterisk failed; will retry' && line['effect'] === effect);

/**
 * A question from before the end of the fault may still be lost: the next caller passes Préavis by for it, or is interrupted when
 * its time limit ends the connection.
 */
const takenCall = (line: string): Promise<Call> =>
  eventually(async () => {
    const before = (await catalogueCalls(at.rig)).map(({ id }) => id);
    const phaseNow = async (): Promise<string | undefined> =>
      (await catalogueCalls(at.rig)).find((each) => each.line === line && !before.includes(each.id))?.phase;
    const call = await at.call(line);
    const isTaken = eventually(async () => (await phaseNow()) !== undefined, { withinMs: 5_000 });
    if (await isTaken.catch(() => false)) {
      const phase = await eventually(async () => {
        const found = await phaseNow();
        return (found === 'talking' || found === 'ended') && found;
      });
      if (phase === 'talking') return call;
    }
    await call.hangUp();
    throw new Error(`nobody took the call by ${line}`);
  });

describe('when requests vanish', () => {
  it('for some seconds, what was asked for at the end of a call is asked for again', async () => {
    const call = await at.call('brieflydeaf');
    await at.records('brieflydeaf');
    at.proxy.impair({ hole: ['toServer', 'toClient'] }, ['other']);
    await call.hangUp();
    await eventually(() => isRepeated('hangUpDestination'));
    at.proxy.mend();
    await expectNobodyConnected(at.rig);
    expect(await endedCall(at.rig, 'brieflydeaf')).toMatchObject({ result: 'recorded' });
    await finishedRecording(at.rig, 'brieflydeaf');
  });

  it('for longer, callers no longer come here: they reach the destination at once, and those from before when it is over', async () => {
    const talking = await takenCall('talking');
    await at.records('talking');
    const announced = await at.call('announced');
    await operator().playing('announced', 'notice');
    const [losses, openings] = [at.said(lost), at.said(connected)];
    at.proxy.impair({ hole: ['toServer', 'toClient'] }, ['other']);
    await talking.hangUp();
    await at.says('Asterisk requests unanswered; reconnecting', 0);
    await at.says(lost, losses);

    const meanwhile = await at.call('meanwhile');
    expect(await meanwhile.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect((await catalogueCalls(at.rig)).map(({ line }) => line)).not.toContain('meanwhile');
    expect(at.said(connected)).toBe(openings);

    at.proxy.mend();
    await at.says(connected, openings);
    expect(await announced.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    const unheard = await endedCall(at.rig, 'announced');
    expect(unheard).toMatchObject({ result: 'unrecorded' });
    expect((await catalogueRecordings(at.rig)).map(({ callId }) => callId)).not.toContain(unheard.id);
    await finishedRecording(at.rig, 'talking');
    await expectNobodyConnected(at.rig);

    await (
      await at.call('after')
    ).ended;
    await finishedRecording(at.rig, 'after');
  });
});
