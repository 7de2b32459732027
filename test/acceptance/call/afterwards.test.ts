import { incomingContext } from '../../../lab/asterisk/asterisk.ts';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import type { RigOptions } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import { eventually } from '../../support/poll.ts';
import { finishedRecording, useRig, writtenRecording } from '../../support/rig/rigs.ts';

/** Both places where an operator's dialplan looks back at a call: an extension h, and a hangup handler. */
const lookingBack = (place: string): string =>
  `NoOp(${place}: status=\${DIALSTATUS} result=\${PREAVIS_RESULT} recording=\${PREAVIS_RECORDING})`;

describe('a recorded call, when it has ended', () => {
  // Neither hangs up by itself: a talk that is over before the recorder has begun leaves no recording.
  let agent: Agent;
  const destinations = ['agent-ends', 'caller-ends'];
  const at = useRig(async (): Promise<RigOptions> => {
    agent = await at.keep(startAgent({ behaviour: 'answer', tone: await continuousTone(1_000) }));

    return {
      lines: [
        ...destinations.flatMap((name) => [
          `exten => ${name},1,Set(CHANNEL(hangup_handler_push)=${incomingContext},handler-${name},1)`,
          ` same => n,Gosub(preavis,s,1(${agent.dialString},20,line=${name}))`,
          `exten => handler-${name},1,${lookingBack(`handler ${name}`)}`,
          ' same => n,Return()',
        ]),
        `exten => h,1,${lookingBack('extension h')}`,
      ],
      config: {
        lines: Object.fromEntries(
          destinations.map((name) => [name, { purposes: ['training'], language: 'en', defaultLanguages: ['en'] }]),
        ),
      },
    };
  });

  it.each<[string, string, (call: Call) => Promise<void>, 'callee' | 'caller']>([
    ['the destination', 'agent-ends', () => agent.endCall(), 'callee'],
    ['the caller', 'caller-ends', (call) => call.hangUp(), 'caller'],
  ])('by %s, looks to the dialplan as Dial() leaves it, with the recording', async (_, line, end, endedBy) => {
    const tone = await continuousTone(440);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone }));
    await writtenRecording(at.rig, line, 8_000);
    await end(call);
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy });
    const { id } = await finishedRecording(at.rig, line);
    await eventually(() => {
      const log = at.rig.asterisk.logs();
      expect(log).toContain(`handler ${line}: status=ANSWER result=recorded recording=${id}`);
      expect(log).toContain(`extension h: status=ANSWER result=recorded recording=${id}`);
    });
  });
});
