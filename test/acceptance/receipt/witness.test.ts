import { closeSync, openSync, readFileSync, readdirSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { findInstallation } from '../../../lab/installation.ts';
import { placeCall, startAgent, type Call } from '../../../lab/telephones/sip.ts';
import { receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { logsSounds } from '../../../src/receipt/witness.ts';
import { readWav, tonePresence } from '../../support/audio/audio.ts';
import { expectOnlyConsented } from '../../support/call/consent.ts';
import { startOperator, type Operator } from '../../support/call/operator.ts';
import { eventually } from '../../support/poll.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { withCatalogue } from '../../support/rig/rigCatalogue.ts';
import {
  catalogueCalls,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const agentHz = 1000;
const callerNumber = '+3292345678';
/** Asterisk 20.16, 21.11, 22.6 and later. */
const isWitnessed = logsSounds((await findInstallation()).version);
const whereWitnessed = isWitnessed ? describe : describe.skip;
const whereNot = isWitnessed ? describe.skip : describe;

/** Calls by these lines; the extension has the same name. */
/** What the witness says of the call by each line. */
const said: Readonly<Record<string, 'agrees' | 'disagrees' | 'missing'>> = {
  told: 'agrees',
  left: 'agrees',
  rotated: 'agrees',
  lied: 'disagrees',
  unlogged: 'missing',
};
const lines = Object.keys(said);

let operator: Operator;
const at = useRig(async () => {
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), atOnce: 6 }));
  return {
    extensions: Object.fromEntries(lines.map((line) => [line, `${agent.dialString},20,line=${line}`])),
    config: {
      purposes: {
        training: {
          ...labPurpose('training', 'Calls of the lab may be refused, so that a notice has two sentences.', 28),
          consent: 'optOut',
        },
      },
      lines: Object.fromEntries(
        lines.map((line) => [
          line,
          { purposes: ['training'], defaultLanguages: line === 'told' ? ['fr', 'nl'] : ['fr'] },
        ]),
      ),
    },
  };
});

type Made = { call: Call; receiver: RtpReceiver };

async function callBy(line: string, meanwhile: (made: Made) => Promise<void>): Promise<void> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(440);
  const { sipPort } = at.rig.asterisk;
  // A mobile number says nothing about a language; a Belgian one of the country says a region.
  const fromNumber = line === 'told' ? '+32470998877' : callerNumber;
  const call = await at.keep(placeCall({ sipPort, to: line, tone, receiver, fromNumber }));
  await meanwhile({ call, receiver });
  await call.hangUp();
  await call.ended;
}

/** Waits until they talk, so that the notice is over and logged. */
const talking = ({ receiver }: Made): Promise<unknown> =>
  eventually(() => tonePresence(receiver.latest(3000), agentHz, { share: 0.7 }).length >= 2, {
    everyMs: 200,
  });

const celText = (): string => readFileSync(at.rig.asterisk.celFile, 'utf8');

/** Writes over one line of a channel in place: Asterisk goes on appending to the file. */
function falsify(channel: string, which: string, change: (line: string) => string): void {
  const text = celText();
  const line = text
    .split('\n')
    .filter((each) => each.startsWith(`"${which}"`) && each.includes(`"${channel}"`))
    .at(-1);
  if (line === undefined) throw new Error(`no ${which} of this channel in the CEL file`);
  const changed = change(line);
  expect(changed).toHaveLength(line.length);
  const file = openSync(at.rig.asterisk.celFile, 'r+');
  writeSync(file, changed, Buffer.byteLength(text.slice(0, text.indexOf(line))));
  closeSync(file);
}

/** The last sentence ended two seconds before it did. */
const twoSecondsEarlier = (line: string): string =>
  line.replace(/"(\d{10})(\.\d{6})"/, (_, seconds: string, rest: string) => `"${String(Number(seconds) - 2)}${rest}"`);

const deeds: Record<string, () => Promise<void>> = {
  told: () =>
    callBy('told', async (made) => {
      await talking(made);
    }),
  left: () =>
    callBy('left', async () => {
      await operator.playing('left', 'opt-out');
    }),
  lied: () =>
    callBy('lied', async (made) => {
      await talking(made);
      falsify(operator.channelOf('lied'), 'STREAM_END', twoSecondsEarlier);
    }),
  unlogged: () =>
    callBy('unlogged', async (made) => {
      await talking(made);
      falsify(operator.channelOf('unlogged'), 'STREAM_BEGIN', (line) => '#'.repeat(line.length));
    }),
};

/**
 * When the others are compared, also those that were placed in vain: what is needed of the file must not move while they write into it, and
 * what is moved takes the place of what was moved before.
 */
async function rotated(): Promise<void> {
  await eventually(() =>
    withCatalogue(at.rig, async (all) => (await all.calls.list(1000)).every(({ witness }) => witness !== null)),
  );
  await callBy('rotated', async (made) => {
    await operator.playing('rotated', 'opt-out');
    const { celFile } = at.rig.asterisk;
    const channel = operator.channelOf('rotated');
    await eventually(() =>
      celText()
        .split('\n')
        .some((line) => line.includes(channel) && line.includes('opt-out')),
    );
    renameSync(celFile, `${celFile}.1`);
    await talking(made);
  });
}

beforeAll(async () => {
  operator = await at.keep(startOperator(at.rig));
  if (!isWitnessed) {
    await at.onTime('told', async () => deeds['told']?.());
    return;
  }
  await Promise.all(Object.entries(deeds).map(([line, deed]) => at.onTime(line, deed)));
  await at.onTime('rotated', rotated);
});

/** The receipt of the call by this line, when it was compared. */
const receiptOf = (line: string): Promise<Receipt> =>
  eventually(
    async () => {
      const { id } = await endedCall(at.rig, line);
      const receipt = receiptSchema.parse(JSON.parse((await at.rig.preavis('calls', 'receipt', id)).stdout));
      if (receipt.witness === null) throw new Error(`the call by ${line} was not compared yet`);
      return receipt;
    },
    { everyMs: 500 },
  );

const ms = (time: string | null | undefined): number => Date.parse(time ?? '');

function expectAgreement({ witness, notice }: Receipt, sentences: number): void {
  expect(witness).toEqual({ source: 'asterisk-cel', status: 'agrees', toleranceMs: 100 });
  expect(notice).toHaveLength(sentences);
  for (const { startedAt, finishedAt, witness: said } of notice) {
    expect(said?.status).toBe('agrees');
    expect(Math.abs(ms(said?.beganAt) - ms(startedAt))).toBeLessThanOrEqual(100);
    expect(Math.abs(ms(said?.endedAt) - ms(finishedAt))).toBeLessThanOrEqual(100);
  }
}

whereWitnessed('a call on an Asterisk that logs its sounds', () => {
  it('has two witnesses for every sentence in its receipt, and in the one that is stored', async () => {
    expectAgreement(await receiptOf('told'), 4);
    const { id } = await finishedRecording(at.rig, 'told');
    expect((await showRecording(at.rig, id)).flags).toEqual([]);
  });

  it('has a receipt with the sentence that was begun when the caller hung up', async () => {
    const receipt = await receiptOf('left');
    expect(receipt).toMatchObject({
      call: { result: 'abandoned' },
      recording: null,
      witness: { status: 'agrees' },
      notice: [
        { prompt: 'notice-training', verified: true, witness: { status: 'agrees' } },
        { prompt: 'opt-out', verified: false, witness: { status: 'agrees' } },
      ],
    });
    const { witness, lengthMs } = receipt.notice[1] ?? {};
    const heardMs = ms(witness?.endedAt) - ms(witness?.beganAt);
    expect(heardMs).toBeGreaterThanOrEqual(0);
    expect(heardMs).toBeLessThan(0.95 * (lengthMs ?? 0));
  });

  it('is found in both files when the log is rotated during its notice', async () => {
    const { celFile } = at.rig.asterisk;
    const channel = operator.channelOf('rotated');
    expect(readFileSync(`${celFile}.1`, 'utf8')).toContain(channel);
    expect(celText()).toContain(channel);
    expectAgreement(await receiptOf('rotated'), 2);
  });

  it.each([
    { line: 'lied', status: 'disagrees', how: 'tells another time' },
    { line: 'unlogged', status: 'missing', how: 'lacks a sentence' },
  ])('is flagged and recorded all the same when the log $how', async ({ line, status }) => {
    const receipt = await receiptOf(line);
    const sentence = { verified: true, verdict: 'verified' };
    expect(receipt).toMatchObject({
      call: { result: 'recorded' },
      witness: { status },
      notice: [
        { ...sentence, witness: { status: 'agrees' } },
        { ...sentence, witness: { status } },
      ],
    });
    const recording = await finishedRecording(at.rig, line);
    expect(recording.flags).toEqual([`witness_${status}`]);
    const samples = readWav(spooledWav(at.rig, recording.id));
    for (const hz of [agentHz, 440]) expect(tonePresence(samples, hz)).not.toEqual([]);
    const warnings = at.rig.log().filter(({ level, call }) => level === 'warn' && call === receipt.call.id);
    expect(warnings).toMatchObject([{ recording: recording.id, witness: status }]);
  });

  it('is counted by what the witness says of it', async () => {
    await Promise.all(lines.map(receiptOf));
    const metrics = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
    const counted = (status: string): number =>
      Number(new RegExp(`^preavis_witness_total\\{status="${status}"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
    // Serve counts those that were placed in vain as well, of which not all came as far as to be falsified.
    for (const status of ['agrees', 'disagrees', 'missing']) {
      const least = lines.filter((line) => said[line] === status).length;
      expect(counted(status)).toBeGreaterThanOrEqual(least);
      expect(counted(status)).toBeLessThanOrEqual(least + at.inVain());
    }
  });

  it('is archived with what the witness says, whatever that is', async () => {
    const recorded = 4 + (await at.recordedInVain());
    expect(await at.rig.preavisJson('upload')).toMatchObject({ sent: recorded, waiting: 0 });
    const counted = (await catalogueCalls(at.rig)).map(({ id }) => String(id));
    await expectOnlyConsented(at.rig);
    const files = readdirSync(at.rig.archiveFolder, { recursive: true, encoding: 'utf8' });
    const stored = files
      .filter((name) => name.endsWith('.json'))
      .map((name) => receiptSchema.parse(JSON.parse(readFileSync(join(at.rig.archiveFolder, name), 'utf8'))))
      .filter(({ call }) => counted.includes(call.id));
    expect(Object.fromEntries(stored.map(({ call, witness }) => [call.line, witness?.status]))).toEqual({
      told: 'agrees',
      rotated: 'agrees',
      lied: 'disagrees',
      unlogged: 'missing',
    });
    expect(files.filter((name) => name.endsWith('.wav'))).toHaveLength(recorded);
  });

  it('leaves no number in the log of sounds, and no channel in the receipts', async () => {
    const { celFile } = at.rig.asterisk;
    const logged = readFileSync(`${celFile}.1`, 'utf8') + celText();
    expect(logged).not.toContain(callerNumber.slice(3));
    expect(logged).not.toMatch(/PJSIP/);
    const receipts = JSON.stringify(await Promise.all(lines.map(receiptOf)));
    for (const line of lines) expect(receipts).not.toContain(operator.channelOf(line));
  });
});

whereWitnessed('preavis check', () => {
  type Checks = { checks: { check: string; ok: boolean; warning?: string; code?: string; problem?: string }[] };
  const look = async (): Promise<Checks['checks'][number] | undefined> =>
    (await at.rig.preavisJson<Checks>('check')).checks.find(({ check }) => check === 'second witness');

  it('finds the second witness at work', async () => {
    // Of the newest call that was compared.
    await receiptOf('rotated');
    expect(await look()).toEqual({ check: 'second witness', ok: true });
  });

  it('says what is wrong when Asterisk no longer writes the file', async () => {
    await operator.request('DELETE', '/asterisk/modules/cel_custom.so');
    try {
      expect(await look()).toMatchObject({
        ok: false,
        code: 'witness_unusable',
        problem: expect.stringMatching(/cel_custom/) as string,
      });
    } finally {
      await operator.request('POST', '/asterisk/modules/cel_custom.so');
    }
    expect(await look()).toMatchObject({ ok: true });
  });
});

whereNot('a call on an Asterisk that does not log its sounds', () => {
  it('has a receipt that says so, and no flag', async () => {
    expect(await receiptOf('told')).toMatchObject({
      witness: { status: 'unavailable' },
      notice: [{ witness: null }, { witness: null }, { witness: null }, { witness: null }],
      recording: { flags: [] },
    });
    expect(celText()).not.toContain('STREAM_');
  });

  it('is what check warns of', async () => {
    const { stdout } = await at.rig.preavis('check');
    expect(stdout).toMatch(/^WARN {3}second witness: Asterisk \S+ does not log sounds/m);
  });
});

it('leaves nobody connected, and no call that was not compared', async () => {
  await expectNobodyConnected(at.rig);
  expect((await catalogueCalls(at.rig)).filter(({ witness }) => witness === null)).toEqual([]);
});
