/** A telephone hangs up whatever Asterisk is about to say: no channel of it is left. */
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import {
  agentHz,
  asPhone,
  callerHz,
  endpointConf,
  useFollowed,
  viaEndpoint,
} from '../../support/call/followedCalls.ts';
import { eventually } from '../../support/poll.ts';
import { expectNobodyConnected } from '../../support/rig/rigs.ts';

let agent: Agent;

const at = useFollowed(async () => {
  agent = await at.keep(startAgent({ behaviour: 'answer', tone: await continuousTone(agentHz), atOnce: 6 }));

  return {
    told: {},
    lines: ['exten => direct,1,Answer()', ` same => n,Dial(${viaEndpoint(agent, 'plain')},20)`, ' same => n,Hangup()'],
    conf: { '+pjsip.conf': endpointConf('plain', []) },
  };
});

/** Asterisk connects both for direct media just then, and describes the session anew. */
async function hangUpOnAnswer(side: 'caller' | 'agent'): Promise<string | undefined> {
  const before = agent.answered();
  const { call } = await at.call('direct', callerHz, [asPhone('plain')]);
  await eventually(() => agent.answered() > before, { everyMs: 1 });
  await (side === 'caller' ? call.hangUp() : agent.endCall());

  return (await call.ended).endedBy;
}

test.each([
  ['caller', 'caller'],
  ['agent', 'callee'],
] as const)('the %s who hangs up while the session is described anew leaves no channel', async (side, endedBy) => {
  const ended: (string | undefined)[] = [];
  for (let calls = 0; calls < 25; calls += 1) ended.push(await hangUpOnAnswer(side));
  expect(new Set(ended)).toEqual(new Set([endedBy]));
  await expectNobodyConnected(at.rig);
});
