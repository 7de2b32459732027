/** A caller who has heard the whole notice lately hears a shorter one (`notice.shorterWithinDays`), and the receipt says which one counts. */
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { presentMs } from '../../support/audio/audio.ts';
import { noticeHz, useBriefNotice } from '../../support/call/briefNotice.ts';
import { endedCall, expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';

const agentHz = 1_000;
const againHz = 1_300;
const noticeMs = 2_000;
const againMs = 800;
let numbers = 0;
/** A Belgian mobile number, which says nothing of a language. It has heard nothing yet, in a call that was placed in vain neither. */
function newNumber(): string {
  numbers += 1;

  return `+32470${112_233 + numbers}`;
}

const notice = useBriefNotice(noticeMs, { again: { kind: 'again', hz: againHz, lengthMs: againMs } });

/** Each call has a line of its own, by which it is found. */
const lines = ['first', 'second', 'stranger', 'withheld'] as const;
type Line = (typeof lines)[number];

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 1_500, atOnce: 4 }),
  );
  return {
    idle: true,
    extensions: Object.fromEntries(lines.map((line) => [line, `${agent.dialString},20,line=${line}`])),
    config: {
      notice: { ...notice.config(), shorterWithinDays: 30 },
      privacy: { hashKey: 'a key of the lab that hides nobody real' },
      lines: Object.fromEntries(lines.map((line) => [line, { purposes: ['training'], defaultLanguages: ['fr'] }])),
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
});

/** How much of the whole and of the shorter sentence was heard, ms. */
async function heardBy(line: Line, fromNumber: string): Promise<{ whole: number; again: number }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(440);
  const { sipPort } = at.rig.asterisk;
  const call = await at.keep(placeCall({ sipPort, to: line, tone, receiver, fromNumber }));
  expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const samples = receiver.samples();

  return { whole: presentMs(samples, noticeHz), again: presentMs(samples, againHz) };
}

const receiptOf = async (line: Line): Promise<Receipt> =>
  receiptSchema.parse(
    JSON.parse((await at.rig.preavis('calls', 'receipt', (await endedCall(at.rig, line)).id)).stdout),
  );

it('says all of it to who calls for the first time, less to who calls again, and names the call that counts', async () => {
  const { first, second } = await at.onTime(['first', 'second'], async () => {
    const caller = newNumber();

    return { first: await heardBy('first', caller), second: await heardBy('second', caller) };
  });
  expect(first.whole).toBeGreaterThan(noticeMs - 300);
  expect(first.again).toBe(0);
  expect(second.whole).toBe(0);
  expect(second.again).toBeGreaterThan(againMs - 300);

  const [earlier, later] = [await receiptOf('first'), await receiptOf('second')];
  expect(earlier.earlierNotice).toBeUndefined();
  expect(earlier.notice).toMatchObject([{ prompt: 'notice', verified: true }]);
  expect(later.notice).toMatchObject([{ prompt: 'again', verified: true }]);
  expect(later.earlierNotice).toEqual({ call: earlier.call.id, finishedAt: earlier.notice[0]?.finishedAt });
  const shown = await at.rig.preavis('calls', 'show', later.call.id);
  expect(shown.stdout).toContain(`a shorter notice: they heard the whole one in call ${earlier.call.id}`);
});

it('says all of it to another number, and to one that is withheld, each time', async () => {
  for (const [line, numberOf] of [
    ['stranger', newNumber],
    ['withheld', () => 'anonymous'],
  ] as const) {
    const { whole, again } = await at.onTime(line, () => heardBy(line, numberOf()));
    expect({ line, again }).toEqual({ line, again: 0 });
    expect(whole).toBeGreaterThan(noticeMs - 300);
    expect((await receiptOf(line)).earlierNotice).toBeUndefined();
  }
});

it('leaves nobody connected', async () => {
  await expectNobodyConnected(at.rig);
});
