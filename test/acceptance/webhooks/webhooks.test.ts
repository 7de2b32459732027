import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { eventually } from '../../support/poll.ts';
import { finishedRecording, useRig } from '../../support/rig/rigs.ts';
import { isSigned, startReceiver, typesOf, webhookSecret, type Receiver } from '../../support/webhookReceiver.ts';

let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
});

afterAll(async () => {
  await receiver.close();
});

const at = useRig(async () => {
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 1000 }));

  return {
    extensions: { told: `${agent.dialString},20,line=told` },
    config: {
      lines: { told: { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] } },
      webhooks: { crm: { url: receiver.url, secret: webhookSecret } },
      // A pass each second.
      schedule: { upload: '* * * * * *' },
    },
  };
});

it('tells another program of a recorded call once it is in the archive, and monitoring of the webhook', async () => {
  const call = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'told', tone: await continuousTone(440) }),
  );
  expect(await call.ended).toMatchObject({ status: 'answered' });
  const { id } = await finishedRecording(at.rig, 'told');
  await eventually(() => receiver.received.length > 0);
  expect(typesOf(receiver)).toEqual(['recording.archived']);
  const [message] = receiver.received;
  if (message === undefined) throw new Error('nothing came');
  expect(isSigned(message, webhookSecret, Date.now())).toBe(true);
  expect(JSON.parse(message.body)).toMatchObject({ data: { recording: id, status: 'archived', line: 'told' } });
  await eventually(async () => {
    const text = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
    expect(text).toMatch(/^preavis_webhooks_waiting\{endpoint="crm"\} 0$/m);
  });
  expect(JSON.stringify(at.rig.log())).not.toContain(webhookSecret.slice(6));
});
