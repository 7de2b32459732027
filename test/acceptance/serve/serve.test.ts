import { existsSync, statSync } from 'node:fs';
import { labPurpose } from '../../../lab/rig.ts';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call, type CallEnd } from '../../../lab/telephones/sip.ts';
import { presentMs, readWav, tonePresence } from '../../support/audio/audio.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  expectNothingRecorded,
  finishedRecording,
  showRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';
import { heardPart, promptSound } from '../../support/audio/sound.ts';

const callerHz = 440;
const agentHz = 1000;
/** Of the Belgian ringing tone that the lab's Asterisk makes: 1 s of it, 3 s of silence. */
const ringHz = 425;

const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };

/** Every call of this file has a line of its own, by which it is found. */
const quick = ['finishing', 'late', 'leftalone', 'talking', 'gone', 'announcing', 'caller'];
const slow = ['ringing', 'midring'];

type Setting = ReturnType<typeof useRig>;

const lengthMs = (file: string): number => readWav(file).length / 8;

async function call(at: Setting, to: string, fromNumber?: string): Promise<{ call: Call; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const options = {
    sipPort: at.rig.asterisk.sipPort,
    to,
    tone,
    receiver,
    ...(fromNumber === undefined ? {} : { fromNumber }),
  };

  return { call: await at.keep(placeCall(options)), receiver };
}

/** Waits until the call by this line is being recorded; its recording's id. */
function recording(at: Setting, name: string): Promise<string> {
  return eventually(async () => {
    const row = (await catalogueCalls(at.rig)).find((each) => each.line === name);
    const made = (await catalogueRecordings(at.rig)).find((each) => each.callId === row?.id);
    if (made?.status !== 'recording') throw new Error(`the call by ${name} is not being recorded`);

    return made.id;
  });
}

function phase(at: Setting, name: string, wanted: string): Promise<true> {
  return eventually(async () => {
    const row = (await catalogueCalls(at.rig)).find((each) => each.line === name);
    if (row?.phase !== wanted) throw new Error(`the call by ${name} is ${row?.phase ?? 'not there'}`);

    return true as const;
  });
}

/** Both voices, in the file, for at least so long. */
function expectBothVoices(file: string, ms: number): void {
  const samples = readWav(file);
  expect(presentMs(samples, callerHz)).toBeGreaterThan(ms - 300);
  // Half of the agent's time is silence.
  expect(presentMs(samples, agentHz)).toBeGreaterThan(Math.max(200, ms / 2 - 600));
}

describe('serve', () => {
  let agent: Agent;
  let ringing: Agent;
  const at = useRig(async () => {
    const tone = await burstTone(agentHz);
    agent = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 10 }));
    ringing = await at.keep(startAgent({ behaviour: 'answer', tone, ringMs: 4500, atOnce: 4 }));
    const extensions = [
      ...quick.map((name) => [name, `${agent.dialString},20,line=${name}`]),
      ...slow.map((name) => [name, `${ringing.dialString},20,line=${name}`]),
    ];
    return {
      extensions: Object.fromEntries(extensions) as Record<string, string>,
      config: {
        purposes: {
          agreement: {
            ...labPurpose('agreement', 'Calls of the lab may be refused, so that a notice has two sentences.', 28),
            kind: 'evidence',
            consent: 'optOut',
          },
        },
        lines: {
          ...Object.fromEntries([...quick, ...slow].map((name) => [name, line])),
          announcing: { ...line, purposes: ['agreement'] },
        },
        // No call of a slow machine is cut short by the limit.
        shutdown: { graceSeconds: 20 },
      },
    };
  });

  /** Who was told to stop, perhaps by an attempt that went wrong. */
  let stopping: number | undefined;
  async function signal(name: NodeJS.Signals): Promise<number> {
    const pid = await eventually(() => at.rig.servePid() ?? false);
    stopping = pid;
    process.kill(pid, name);

    return pid;
  }
  const ended = (pid: number): Promise<true> => eventually(() => at.rig.servePid() !== pid);
  const runs = async (): Promise<void> => {
    if (stopping !== undefined) await ended(stopping);
    if (at.rig.servePid() === undefined) await at.rig.startServe();
  };
  const said = (text: string): number => at.rig.log().filter(({ msg }) => msg === text).length;
  /** Tells serve to stop, and waits until it knows. */
  async function stops(): Promise<number> {
    const before = said('stopping after calls and uploads');
    const pid = await signal('SIGTERM');
    await eventually(() => said('stopping after calls and uploads') > before);

    return pid;
  }

  afterEach(async () => {
    await runs();
    await expectNobodyConnected(at.rig);
  });

  it('stops the ringing tone in mid-ring when the destination answers, and tells it who calls', async () => {
    const heard = await at.onTime(['midring', 'caller'], async () => {
      const { call: placed, receiver } = await call(at, 'midring', '+3292345678');
      const { call: other } = await call(at, 'caller', '+3242345678');
      await recording(at, 'midring');
      await eventually(() => presentMs(receiver.samples(), agentHz) > 1500);
      await Promise.all([placed.hangUp(), other.hangUp()]);
      return receiver.samples();
    });
    const [voice] = tonePresence(heard, agentHz, { share: 0.7 });
    const voiceMs = voice?.startMs ?? NaN;
    const rings = tonePresence(heard, ringHz, { windowMs: 100, share: 0.7 }).filter(
      ({ startMs }) => startMs > voiceMs - 4800,
    );
    expect(rings).toHaveLength(2);
    const [whole, cut] = rings.map(({ startMs, endMs }) => endMs - startMs);
    expect(whole).toBeGreaterThan(900);
    expect(cut).toBeGreaterThan(300);
    expect(cut).toBeLessThan(800);
    expect(rings[1]?.endMs).toBeLessThan(voiceMs + 100);
    at.expectFrom(['caller'], agent.callers().filter((from) => from.includes('+3242345678')).length);
    expect(lengthMs(spooledWav(at.rig, (await finishedRecording(at.rig, 'midring')).id))).toBeGreaterThan(1500);
  });

  it('lets a call finish after SIGTERM, and sends new ones on unrecorded meanwhile', async () => {
    const id = await at.onTime(['finishing', 'late'], async () => {
      await runs();
      const { call: placed, receiver } = await call(at, 'finishing');
      const made = await recording(at, 'finishing');
      const pid = await stops();
      const { call: late } = await call(at, 'late');
      expect(await endedCall(at.rig, 'late')).toMatchObject({ result: 'unrecorded', reason: 'shutting_down' });
      await eventually(() => late.isAnswered());
      await late.hangUp();
      expect(at.rig.servePid()).toBe(pid);
      await eventually(() => presentMs(receiver.samples(), agentHz) > 1000);
      await placed.hangUp();
      await ended(pid);
      return made;
    });
    const [row] = (await catalogueRecordings(at.rig)).filter((each) => each.id === id);
    expect(row).toMatchObject({ status: 'recorded' });
    expect(row?.finishedAt).not.toBeNull();
    expectBothVoices(spooledWav(at.rig, id), 1000);
    expect(at.rig.log().at(-1)).toMatchObject({ msg: 'stopped' });
  });

  it('stops at once at the second SIGTERM; the recording goes on and the next start finishes it', async () => {
    const { id, goneOnMs } = await at.onTime('leftalone', async () => {
      await runs();
      const { call: placed } = await call(at, 'leftalone');
      const made = await recording(at, 'leftalone');
      const resumed = said('earlier call resumed');
      const pid = await stops();
      await signal('SIGTERM');
      await ended(pid);
      const file = spooledWav(at.rig, made);
      const [sizeThen, atThen] = [statSync(file).size, Date.now()];
      await eventually(() => statSync(file).size > sizeThen + 16_000);
      await at.rig.startServe();
      await eventually(() => said('earlier call resumed') > resumed);
      const alone = Date.now() - atThen;
      await placed.hangUp();
      await finishedRecording(at.rig, 'leftalone');
      return { id: made, goneOnMs: alone };
    });
    expectBothVoices(spooledWav(at.rig, id), goneOnMs);
    // While nobody listened, CEL tells who was there.
    expect(await showRecording(at.rig, id)).toMatchObject({ status: 'recorded', flags: ['unwatched'], failure: null });
  });

  describe('killed and started again', () => {
    const placed = new Map<string, { call: Call; receiver: RtpReceiver }>();
    const ends = new Map<string, CallEnd>();
    const ids = new Map<string, string>();
    let downMs = 0;
    const receiverOf = (name: string): Int16Array => placed.get(name)?.receiver.samples() ?? new Int16Array();

    beforeAll(() => at.onTime(['talking', 'gone', 'ringing', 'announcing'], killAndStart));

    async function killAndStart(): Promise<void> {
      await runs();
      const rung = ringing.calls();
      for (const name of ['talking', 'gone', 'ringing']) placed.set(name, await call(at, name));
      for (const name of ['talking', 'gone']) ids.set(name, await recording(at, name));
      await phase(at, 'ringing', 'dialling');
      // The catalogue has the phase before Asterisk is asked to dial.
      await eventually(() => ringing.calls() > rung);
      placed.set('announcing', await call(at, 'announcing'));
      await phase(at, 'announcing', 'planning');
      await eventually(() => (placed.get('announcing')?.receiver.packets() ?? 0) > 20);
      await at.rig.killServe();
      const killedAt = Date.now();
      await placed.get('gone')?.call.hangUp();
      await at.rig.startServe();
      downMs = Date.now() - killedAt;
      const rings = await recording(at, 'ringing');
      ids.set('ringing', rings);
      await endedCall(at.rig, 'announcing');
      await eventually(() => tonePresence(receiverOf('announcing'), agentHz, { share: 0.7 }).length >= 2);
      await eventually(() => tonePresence(receiverOf('ringing'), agentHz).length >= 2);
      // What the caller has heard may be from before serve was back.
      await eventually(() => statSync(spooledWav(at.rig, rings)).size > 24_000);
      for (const [name, { call: each }] of placed) {
        await each.hangUp();
        ends.set(name, await each.ended);
      }
    }

    it('completes the recording of a call in mid-talk', async () => {
      expect(ends.get('talking')).toMatchObject({ endedBy: 'caller' });
      const { id } = await finishedRecording(at.rig, 'talking');
      expect(id).toBe(ids.get('talking'));
      expectBothVoices(spooledWav(at.rig, id), downMs + 1000);
      expect((await showRecording(at.rig, id)).gapMs).toBeGreaterThanOrEqual(0);
    });

    it('completes the recording of a call whose caller left meanwhile', async () => {
      const { id } = await finishedRecording(at.rig, 'gone');
      expect(id).toBe(ids.get('gone'));
      expect(presentMs(readWav(spooledWav(at.rig, id)), callerHz)).toBeGreaterThan(100);
      expect((await endedCall(at.rig, 'gone')).result).toBe('recorded');
    });

    it('sends a caller who was being told on to the destination, unrecorded', async () => {
      expect(await endedCall(at.rig, 'announcing')).toMatchObject({ result: 'unrecorded', reason: 'interrupted' });
      expect((await catalogueRecordings(at.rig)).map(({ callId }) => callId)).not.toContain(
        (await endedCall(at.rig, 'announcing')).id,
      );
      // What was said until then is not said again: it could no longer be proved.
      expect(heardPart(receiverOf('announcing'), promptSound('fr', 'opt-out')).share).toBeLessThan(0.2);
    });

    it('records a call whose destination rang meanwhile, and ends the ringing tone', async () => {
      const { id } = await finishedRecording(at.rig, 'ringing');
      expectBothVoices(spooledWav(at.rig, id), 1000);
      const heard = receiverOf('ringing');
      const [voice] = tonePresence(heard, agentHz, { share: 0.7 });
      const later = tonePresence(heard, ringHz, { windowMs: 100, share: 0.7 }).filter(
        ({ endMs }) => endMs > (voice?.startMs ?? Infinity) + 200,
      );
      expect(later).toEqual([]);
    });

    it('has one recording for each of them and no more', async () => {
      const calls = (await catalogueCalls(at.rig)).filter((each) => each.line !== null && placed.has(each.line));
      const kept = (await catalogueRecordings(at.rig)).filter(({ callId }) => calls.some(({ id }) => id === callId));
      expect(kept).toHaveLength(3);
      for (const { id } of kept) expect(existsSync(spooledWav(at.rig, id))).toBe(true);
    });
  });
});

describe('serve with too little room to record', () => {
  const at = useRig(async () => {
    const agent = await at.keep(
      startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 3000 }),
    );
    return {
      extensions: { full: `${agent.dialString},20,line=full` },
      config: { lines: { full: line }, recording: { minimumFreeMib: 1_000_000_000 } },
    };
  });

  it('lets calls go on unrecorded and says why', async () => {
    const { call: placed, receiver } = await call(at, 'full');
    expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(presentMs(receiver.samples(), agentHz)).toBeGreaterThan(500);
    expect(await endedCall(at.rig, 'full')).toMatchObject({ result: 'unrecorded', reason: 'spool_full' });
    expect(at.rig.log()).toContainEqual(expect.objectContaining({ level: 'error', code: 'spool_full' }));
    await expectNobodyConnected(at.rig);
    await expectNothingRecorded(at.rig);
  });
});
