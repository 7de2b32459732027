/**
 * The operators who record prompts, on an Asterisk that keeps a list of what it was asked: a live one cannot be made to
 * refuse one request, or to end a recorder after everybody has left.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { taskOf } from '../../../../src/call/plan/arguments.ts';
import { makePinGuard, windowMs, wrongPinsAllowed } from '../../../../src/call/promptRecording/pinGuard.ts';
import { PromptOperators, type PromptOperatorsPorts } from '../../../../src/call/promptRecording/operators.ts';
import type { PromptTarget } from '../../../../src/call/promptRecording/machine.ts';
import type { RegistryPorts } from '../../../../src/call/registry/ports.ts';
import { CallRegistry } from '../../../../src/call/registry/registry.ts';
import { judgeTake } from '../../../../src/call/promptRecording/takeCheck.ts';
import { plainWav } from '../../../../src/prompts/soundFile.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { makeIds, type ChannelId, type PlaybackId } from '../../../../src/core/ids.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { eventually } from '../../../support/poll.ts';
import { shippedSounds, toneWav } from '../../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const spool = (): string => folder.path('spool');
const pin = '904173';
const channel = 'SIP-1' as ChannelId;
const text = 'Cet appel peut être enregistré à des fins de formation.';
const spokenWav = readFileSync(join(shippedSounds, 'fr', 'notice-training.wav'));
const target: PromptTarget = { id: 'notice-training', language: 'fr', text, soundName: undefined };

beforeEach(async () => {
  await mkdir(spool(), { recursive: true });
});

function someDesk(over: Partial<PromptOperatorsPorts> = {}) {
  const asked: string[] = [];
  const stored: Buffer[] = [];
  const { log, lines } = collectingLog();
  const command =
    (name: string) =>
    (...args: readonly unknown[]): Promise<void> => {
      asked.push([name, ...args.map(String)].join(' '));
      return Promise.resolve();
    };
  const gone = (name: string) => (id: string) => {
    asked.push(`${name} ${id}`);
    return Promise.reject(new PreavisError('ari_not_found', 'gone'));
  };
  const desk = new PromptOperators({
    ari: {
      answer: command('answer'),
      play: command('play'),
      playTone: command('playTone'),
      playRecording: command('playRecording'),
      recordChannel: command('recordChannel'),
      stopPlayback: gone('stopPlayback'),
      stopRecorder: command('stopRecorder'),
      discardRecorder: gone('discardRecorder'),
      setVariable: command('setVariable'),
      continueInDialplan: command('continueInDialplan'),
    },
    prompts: {
      find: (code) => Promise.resolve(code === '011' ? target : undefined),
      store: (_, wav) => {
        stored.push(wav);
        return Promise.resolve();
      },
      progress: () => Promise.resolve(undefined),
    },
    pin: makePinGuard(pin, { now: () => 0 }),
    spoolFolder: spool(),
    ids: makeIds(),
    log,
    maximumSeconds: 30,
    wait: () => Promise.resolve(),
    ...over,
  });
  const askedOf = (name: string): string[] =>
    asked
      .filter((each) => each.startsWith(`${name} `))
      .map((each) => each.split(' ')[name === 'playRecording' ? 3 : 2] ?? '');
  const type = (keys: string): void => {
    for (const digit of keys) desk.handle({ type: 'digit', at: 0, channelId: channel, digit });
  };
  const moved = (to: string): Promise<unknown> => eventually(() => lines.some((line) => line['to'] === to));
  /** Up to the play-back of the take. */
  const toReview = async (wav: Buffer): Promise<string> => {
    desk.arrive(channel);
    await moved('enteringPin');
    type(`${pin}#`);
    await moved('enteringCode');
    type('011#');
    const [name = ''] = await eventually(() => {
      const names = askedOf('recordChannel');
      return names.length > 0 && names;
    });
    writeFileSync(join(spool(), `${name}.wav`), wav);
    desk.handle({ type: 'recorderStarted', at: 0, name });
    type('#');
    desk.handle({ type: 'recorderFinished', at: 4_000, name });

    return name;
  };

  return { desk, asked, stored, lines, askedOf, type, moved, toReview };
}

const playbackOf = (asked: readonly string[]): PlaybackId =>
  (asked.find((each) => each.startsWith('playRecording '))?.split(' ')[2] ?? '') as PlaybackId;

describe('the desk', () => {
  it('stores the take, byte for byte, and leaves nothing in the spool', async () => {
    const { desk, asked, stored, lines, type, moved, toReview } = someDesk();
    await toReview(spokenWav);
    await eventually(() => playbackOf(asked) !== '');
    desk.handle({ type: 'playbackFinished', at: 0, playbackId: playbackOf(asked), outcome: 'done' });
    type('1');
    await moved('ended');
    await eventually(() => desk.size === 0);
    expect(stored).toEqual([spokenWav]);
    expect(readdirSync(spool())).toEqual([]);
    expect(asked.at(-1)).toBe(`continueInDialplan ${channel}`);
    expect(asked).toContain(`setVariable ${channel} PREAVIS_RESULT stored`);
    expect(JSON.stringify(lines)).not.toContain(pin);
  });

  it('says why when it cannot be stored, and removes it', async () => {
    const { desk, asked, lines, type, toReview } = someDesk({
      prompts: {
        find: () => Promise.resolve(target),
        store: () => Promise.reject(new PreavisError('prompts_unwritable', 'no')),
        progress: () => Promise.resolve(undefined),
      },
    });
    await toReview(spokenWav);
    await eventually(() => playbackOf(asked) !== '');
    desk.handle({ type: 'playbackFinished', at: 0, playbackId: playbackOf(asked), outcome: 'done' });
    type('1');
    await eventually(() => desk.size === 0);
    expect(lines).toContainEqual(expect.objectContaining({ code: 'prompts_unwritable' }));
    expect(lines).toContainEqual(expect.objectContaining({ reason: 'store_failed' }));
    expect(readdirSync(spool())).toEqual([]);
  });

  it('removes the file of a recorder that ends after the operator left', async () => {
    const { desk, toReview, asked } = someDesk();
    const name = await toReview(spokenWav);
    await eventually(() => playbackOf(asked) !== '');
    desk.handle({ type: 'channelHangingUp', at: 0, channelId: channel });
    await eventually(() => desk.size === 0);
    expect(readdirSync(spool())).toEqual([]);
    writeFileSync(join(spool(), `${name}.wav`), spokenWav);
    expect(desk.handle({ type: 'recorderFinished', at: 0, name })).toBe(true);
    await eventually(() => !existsSync(join(spool(), `${name}.wav`)));
  });

  it('removes what a killed process left, and nothing else', async () => {
    const { desk } = someDesk();
    const others = ['preavis-01J00000000000000000000000.wav', 'preavis-prompt-notes.txt', 'other.wav'];
    for (const file of [...others, 'preavis-prompt-01J00000000000000000000000.wav']) {
      writeFileSync(join(spool(), file), 'x');
    }
    await desk.sweep();
    expect(readdirSync(spool()).sort()).toEqual(others.sort());
    for (const file of others) rmSync(join(spool(), file));
  });

  it('ends everybody when events were missed', async () => {
    const { desk, lines, toReview, asked } = someDesk();
    await toReview(spokenWav);
    await eventually(() => playbackOf(asked) !== '');
    await desk.interrupt();
    expect(desk.size).toBe(0);
    expect(lines).toContainEqual(expect.objectContaining({ reason: 'interrupted' }));
    expect(readdirSync(spool())).toEqual([]);
  });

  it('lets a tone sound for its length, and not when the operator has left', async () => {
    const lengths: number[] = [];
    const { desk, asked } = someDesk({
      wait: (ms, signal) => {
        lengths.push(ms);
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
        });
      },
    });
    desk.arrive(channel);
    await eventually(() => lengths.length > 0);
    expect(lengths).toEqual([150]);
    expect(asked.some((each) => each.startsWith('stopPlayback '))).toBe(false);
    desk.handle({ type: 'channelHangingUp', at: 0, channelId: channel });
    await eventually(() => desk.size === 0);
    expect(asked.some((each) => each.startsWith('stopPlayback '))).toBe(true);
  });

  it('seats four at once and lets a channel go that comes for something else', async () => {
    const { desk } = someDesk();
    const names = ['a', 'b', 'c', 'd', 'e'].map((each) => each as ChannelId);
    expect(names.map((each) => desk.arrive(each))).toEqual([true, true, true, true, false]);
    desk.release(names[0] ?? channel);
    expect(desk.owns(names[0] ?? channel)).toBe(false);
    for (const each of names) desk.release(each);
    await eventually(() => desk.size === 0);
  });
});

describe('the PIN', () => {
  it('is refused after ten wrong ones, also the right one, until an hour after the first of them', () => {
    let now = 1_000;
    const guard = makePinGuard(pin, { now: () => now });
    for (let count = 0; count < wrongPinsAllowed; count += 1) {
      expect(guard.check(`${count}`)).toBe('wrong');
      now += 1;
    }
    expect([guard.check(pin), guard.check('000000')]).toEqual(['locked', 'locked']);
    now = 1_000 + windowMs - 1;
    expect(guard.check(pin)).toBe('locked');
    now += 1;
    expect(guard.check(pin)).toBe('right');
  });

  it.each(['', '90417', '9041733', '904173 ', '0904173'])('is not %j', (typed) => {
    expect(makePinGuard(pin, { now: () => 0 }).check(typed)).toBe('wrong');
  });
});

describe('a take', () => {
  const silentWav = plainWav({ rate: 8000, samples: new Int16Array(24_000) });

  it.each<[string, Buffer | undefined, string, object]>([
    ['speech as long as its text', spokenWav, text, { usable: true }],
    ['no file', undefined, text, { usable: false, reason: 'broken' }],
    ['no WAV', Buffer.from('RIFF'), text, { usable: false, reason: 'broken' }],
    ['silence', silentWav, text, { usable: false, reason: 'silent' }],
    ['a word', toneWav(300, 300), text, { usable: false, reason: 'too_short' }],
    ['a speech', spokenWav, 'Bonjour.', { usable: false, reason: 'too_long' }],
  ])('is judged: %s', (_, wav, words, verdict) => {
    expect(judgeTake(wav, words)).toMatchObject(verdict);
  });
});

describe('the task of a Stasis() line', () => {
  it.each<[string[], string | undefined]>([
    [['task=recordPrompt'], 'recordPrompt'],
    [[' task=recordPrompt ', ''], 'recordPrompt'],
    [['task=other'], undefined],
    [['task=recordPrompt', 'to=PJSIP/100'], undefined],
    [['to=PJSIP/100'], undefined],
    [[], undefined],
  ])('of %j is %j', (args, task) => {
    expect(taskOf(args)).toBe(task);
  });
});

describe('the registry', () => {
  function someRegistry(promptDesk?: PromptOperators) {
    const asked: string[] = [];
    const { log, lines } = collectingLog();
    const command =
      (name: string) =>
      (...args: readonly unknown[]): Promise<void> => {
        asked.push([name, ...args.map(String)].join(' '));
        return Promise.resolve();
      };
    const registry = new CallRegistry({
      ari: { setVariable: command('setVariable'), continueInDialplan: command('continueInDialplan') },
      journal: {
        save: () => Promise.resolve(),
        open: () => Promise.resolve([]),
        openOfOthers: () => Promise.resolve([]),
        endUnreadable: () => Promise.resolve(),
      },
      policy: { version: '1', neverRecorded: { number: undefined, dialled: undefined } },
      ids: makeIds(),
      log,
      clock: { now: () => 0 },
      promptDesk,
      watchesBridges: () => true,
      asterisk: () => ({ version: '22', node: 'test' }),
      callEnded: () => undefined,
    } as unknown as RegistryPorts);
    const arrive = (args: string[]): void => {
      registry.handle({
        type: 'channelArrived',
        at: 0,
        channelId: channel,
        args,
        callerNumber: '',
        language: 'en',
        replaces: undefined,
      });
    };

    return { registry, asked, lines, arrive };
  }

  it('sends the operator back to the dialplan where recording prompts is not enabled', async () => {
    const { asked, lines, arrive } = someRegistry();
    arrive(['task=recordPrompt']);
    await eventually(() => asked.includes(`continueInDialplan ${channel}`));
    expect(asked).toContain(`setVariable ${channel} PREAVIS_REASON arguments_invalid`);
    expect(lines).toContainEqual(
      expect.objectContaining({ argument: 'task', problem: 'promptRecording.pin is not set' }),
    );
  });

  it('hands the operator to the desk, and no more of them while it is stopping', async () => {
    const { desk } = someDesk();
    const { registry, asked, arrive } = someRegistry(desk);
    arrive(['task=recordPrompt']);
    expect([desk.owns(channel), registry.size, asked.length]).toEqual([true, 1, 0]);
    registry.handle({ type: 'channelHangingUp', at: 0, channelId: channel });
    await eventually(() => registry.size === 0);
    registry.stopAccepting();
    arrive(['task=recordPrompt']);
    await eventually(() => asked.includes(`setVariable ${channel} PREAVIS_REASON shutting_down`));
    expect(desk.size).toBe(0);
  });
});
