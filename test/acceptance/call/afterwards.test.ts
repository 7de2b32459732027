import { incomingContext } from '../../../lab/asterisk/asterisk.ts';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import type { RigOptions } from '../../../lab/rig.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { eventually } from '../../support/poll.ts';
import { finishedRecording, useRig } from '../../support/rig/rigs.ts';

/** Both places where an operator's dialplan looks back at a call: an extension h, and a hangup handler. */
const lookingBack = (place: string): string =>
  `NoOp(${place}: status=\${DIALSTATUS} result=\${PREAVIS_RESULT} recording=\${PREAVIS_RECORDING})`;

describe('a recorded call, when it has ended', () => {
  const at = useRig(async (): Promise<RigOptions> => {
    const brief = await at.keep(startAgent({ behaviour: 'answer', hangUpAfterMs: 700 }));
    const patient = await at.keep(startAgent({ behaviour: 'answer' }));
    const destinations = { 'agent-ends': brief.dialString, 'caller-ends': patient.dialString };

    return {
      lines: [
        ...Object.entries(destinations).flatMap(([name, destination]) => [
          `exten => ${name},1,Set(CHANNEL(hangup_handler_push)=${incomingContext},handler-${name},1)`,
          ` same => n,Gosub(preavis,s,1(${destination},20,line=${name}))`,
          `exten => handler-${name},1,${lookingBack(`handler ${name}`)}`,
          ' same => n,Return()',
        ]),
        `exten => h,1,${lookingBack('extension h')}`,
      ],
      config: {
        lines: Object.fromEntries(
          Object.keys(destinations).map((name) => [
            name,
            { purposes: ['training'], language: 'en', defaultLanguages: ['en'] },
          ]),
        ),
      },
    };
  });

  it.each([
    ['the destination', 'agent-ends', {}],
    ['the caller', 'caller-ends', { hangUpAfterMs: 10_000 }],
  ])('by %s, looks to the dialplan as Dial() leaves it, with the recording', async (_, line, options) => {
    const tone = await continuousTone(440);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, ...options }));
    await call.ended;
    const { id } = await finishedRecording(at.rig, line);
    await eventually(() => {
      const log = at.rig.asterisk.logs();
      expect(log).toContain(`handler ${line}: status=ANSWER result=recorded recording=${id}`);
      expect(log).toContain(`extension h: status=ANSWER result=recorded recording=${id}`);
    });
  });
});
