/**
 * Recording a prompt, by enumeration: whatever happens, in whatever order, nothing is stored that was not spoken after the
 * right PIN, heard whole, and kept by a key. The states are finitely many once what was typed is merged by its length, so all
 * pairs of (state, what the checker remembers) are visited. The checker looks at events and effects only.
 */
import {
  beginRecorder,
  decideRecorder,
  longestEntry,
  takesPerCall,
  triesPerCall,
  type PromptTarget,
  type RecorderEffect,
  type RecorderEvent,
  type RecorderFacts,
  type RecorderState,
  type RecorderStep,
  type RecorderTimer,
} from '../../../../src/call/promptRecording/machine.ts';
import type { ChannelId, PlaybackId } from '../../../../src/core/ids.ts';

const playback = (name: string): PlaybackId => name as PlaybackId;
const facts: RecorderFacts = {
  channel: 'channel' as ChannelId,
  presentation: playback('old'),
  takes: Array.from({ length: takesPerCall }, (_, index) => ({
    name: `take-${index}`,
    playback: playback(`take-${index}`),
  })),
  maximumMs: 30_000,
};
const target: PromptTarget = { id: 'keep-both', language: 'nl', text: 'Tot zo.', soundName: 'preavis/keep-both-1' };
const timers: RecorderTimer[] = ['answer', 'entry', 'presentation', 'start', 'recorder', 'stop', 'review'];
const steps: RecorderStep[] = ['answer', 'identify', 'record', 'judge', 'playTake', 'store'];
const playbacks = ['old', ...facts.takes.map(({ name }) => name)];

const alphabet: RecorderEvent[] = [
  { type: 'answered' },
  ...['0', '1', '2', '#', '*'].map((digit): RecorderEvent => ({ type: 'digit', digit })),
  { type: 'pinChecked', right: true },
  { type: 'pinChecked', right: false },
  { type: 'promptKnown', target },
  { type: 'promptKnown', target: { ...target, soundName: undefined } },
  { type: 'promptUnknown' },
  ...playbacks.flatMap((each): RecorderEvent[] => [
    { type: 'playbackFinished', playback: playback(each), outcome: 'done' },
    { type: 'playbackFinished', playback: playback(each), outcome: 'failed' },
  ]),
  ...facts.takes.flatMap(({ name }): RecorderEvent[] => [
    { type: 'recorderStarted', name, at: 0 },
    { type: 'recorderFinished', name, at: 5_000 },
    { type: 'recorderFinished', name, at: 30_000 },
    { type: 'recorderFailed', name },
  ]),
  { type: 'takeUsable' },
  { type: 'takeUnusable' },
  { type: 'stored' },
  { type: 'callerLeft' },
  { type: 'interrupted' },
  ...steps.map((step): RecorderEvent => ({ type: 'stepFailed', step })),
  ...timers.map((timer): RecorderEvent => ({ type: 'timeUp', timer })),
];

type Monitor = {
  /** The last check of a PIN was asked for and answered with yes. */
  admitted: boolean;
  checking: boolean;
  wrong: number;
  /** The take that a recorder was asked for and that was neither discarded nor put away. */
  live: string | undefined;
  judged: string | undefined;
  /** Which one Asterisk was asked to play, and which of them came to its end. */
  playing: string | undefined;
  heard: string | undefined;
  kept: string | undefined;
  stores: number;
  timer: RecorderTimer | undefined;
  /** Our own side was asked something and has to answer. */
  pending: boolean;
  returned: number;
};

const start: Monitor = {
  admitted: false,
  checking: false,
  wrong: 0,
  live: undefined,
  judged: undefined,
  playing: undefined,
  heard: undefined,
  kept: undefined,
  stores: 0,
  timer: undefined,
  pending: false,
  returned: 0,
};

function seeEvent(monitor: Monitor, event: RecorderEvent): Monitor {
  const next = { ...monitor };
  if (event.type === 'pinChecked' && monitor.checking) {
    next.checking = false;
    next.admitted = event.right;
    if (!event.right) next.wrong += 1;
  }
  if (event.type === 'playbackFinished' && event.outcome === 'done' && event.playback === monitor.playing) {
    next.heard = monitor.playing;
  }
  // Which key it was, whatever the state thinks of it.
  next.kept = event.type === 'digit' && event.digit === '1' ? monitor.heard : undefined;

  return next;
}

const answers: Partial<Record<RecorderEffect['type'], true>> = {
  checkPin: true,
  identify: true,
  judge: true,
  store: true,
};

/** Throws where a promise is broken. */
function seeEffects(monitor: Monitor, effects: readonly RecorderEffect[]): Monitor {
  const next = { ...monitor };
  const demand = (condition: boolean, promise: string): void => {
    if (!condition) throw new Error(promise);
  };
  for (const effect of effects) {
    if (answers[effect.type] === true) next.pending = true;
    switch (effect.type) {
      case 'checkPin':
        demand(effect.typed.length <= longestEntry + 1, 'what was typed is not bounded');
        next.checking = true;
        break;
      case 'identify':
        demand(next.admitted, 'a code is looked up without the PIN');
        break;
      case 'present':
        demand(next.admitted, 'a prompt is played without the PIN');
        break;
      case 'record':
        demand(next.admitted, 'something is recorded without the PIN');
        demand(next.live === undefined, 'a take is left behind by another');
        next.live = effect.take.name;
        next.judged = undefined;
        break;
      case 'judge':
        demand(next.live === effect.take.name, 'a take is judged that was not recorded');
        next.judged = effect.take.name;
        break;
      case 'playTake':
        demand(next.judged === effect.take.name, 'a take is played that was not judged');
        next.playing = effect.take.name;
        break;
      case 'store':
        demand(next.admitted, 'stored without the PIN');
        demand(next.kept === effect.take.name && next.live === effect.take.name, 'stored without being heard and kept');
        next.stores += 1;
        demand(next.stores === 1, 'stored twice');
        break;
      case 'discard':
        demand(next.live === effect.take.name, 'a take is discarded that is not there');
        next.live = undefined;
        next.playing = undefined;
        break;
      case 'returnToDialplan':
        next.returned += 1;
        break;
      case 'startTimer':
        next.timer = effect.timer;
        break;
      case 'stopTimer':
        next.timer = undefined;
        break;
      case 'answer':
      case 'tone':
      case 'stopPlayback':
      case 'stopRecorder':
      case 'noteCut':
        break;
    }
  }

  return next;
}

const ownAnswers: RecorderEvent['type'][] = [
  'pinChecked',
  'promptKnown',
  'promptUnknown',
  'takeUsable',
  'takeUnusable',
  'stored',
  'stepFailed',
];

function keyOf(state: RecorderState, monitor: Monitor): string {
  const merged = 'typed' in state ? { ...state, typed: state.typed.length } : state;

  return JSON.stringify([{ ...merged, facts: 0 }, monitor]);
}

type Decide = typeof decideRecorder;

/** Visits everything that can be reached; the number of pairs, and the outcomes. */
function enumerate(decide: Decide): { visited: number; outcomes: Set<string> } {
  const begun = beginRecorder(facts);
  const queue: [RecorderState, Monitor][] = [[begun.state, seeEffects(start, begun.effects)]];
  const seen = new Set<string>();
  const outcomes = new Set<string>();
  for (let pair = queue.pop(); pair !== undefined; pair = queue.pop()) {
    const [state, monitor] = pair;
    const key = keyOf(state, monitor);
    if (seen.has(key)) continue;
    seen.add(key);
    if (state.kind === 'ended') {
      outcomes.add(state.outcome.result === 'stored' ? 'stored' : state.outcome.reason);
      if (monitor.live !== undefined) throw new Error('a take is left in the spool');
      if (monitor.wrong > triesPerCall) throw new Error('too many PINs');
      if (state.outcome.result === 'stored' && monitor.stores !== 1) throw new Error('stored, and was not');
    } else if (monitor.timer === undefined && !monitor.pending) {
      throw new Error(`${state.kind} waits without a limit`);
    }
    for (const event of alphabet) {
      const move = decide(state, event);
      const seenEvent = seeEvent(monitor, event);
      if (ownAnswers.includes(event.type)) seenEvent.pending = state === move.state && seenEvent.pending;
      const next = seeEffects(seenEvent, move.effects);
      if (state.kind === 'ended' && move.effects.length > 0) throw new Error('something happens after the end');
      queue.push([move.state, next]);
    }
  }

  return { visited: seen.size, outcomes };
}

describe('recording a prompt by telephone', () => {
  it('stores nothing without the PIN, the whole play-back and the key, and leaves no take behind, in any order of events', () => {
    const { visited, outcomes } = enumerate(decideRecorder);
    expect(visited).toBeGreaterThan(200);
    expect([...outcomes].sort()).toEqual([
      'asterisk_failed',
      'code_unknown',
      'given_up',
      'hung_up',
      'interrupted',
      'no_input',
      'pin_wrong',
      'prompts_invalid',
      'spool_unusable',
      'store_failed',
      'stored',
      'too_many_takes',
    ]);
  });

  it.each<[string, Decide, string]>([
    [
      'a wrong PIN opens',
      (state, event) => decideRecorder(state, event.type === 'pinChecked' ? { ...event, right: true } : event),
      'without the PIN',
    ],
    [
      'any key keeps',
      (state, event) =>
        decideRecorder(state, state.kind === 'reviewing' && event.type === 'digit' ? { ...event, digit: '1' } : event),
      'without being heard and kept',
    ],
    [
      'the play-back need not end',
      (state, event) => decideRecorder(state.kind === 'reviewing' ? { ...state, heard: true } : state, event),
      'without being heard and kept',
    ],
    [
      'hanging up leaves the take',
      (state, event) => {
        const move = decideRecorder(state, event);
        const effects = move.effects.filter(({ type }) => event.type !== 'callerLeft' || type !== 'discard');
        return { ...move, effects };
      },
      'left in the spool',
    ],
  ])('would be seen to break its promise where %s', (_, broken, promise) => {
    expect(() => enumerate(broken)).toThrow(promise);
  });

  const run = (events: readonly RecorderEvent[]): { state: RecorderState; effects: RecorderEffect[] } => {
    let { state, effects }: { state: RecorderState; effects: readonly RecorderEffect[] } = beginRecorder(facts);
    const all = [...effects];
    for (const event of events) {
      ({ state, effects } = decideRecorder(state, event));
      all.push(...effects);
    }
    return { state, effects: all };
  };
  const keys = (text: string): RecorderEvent[] => Array.from(text, (digit) => ({ type: 'digit', digit }));
  const spoken: RecorderEvent[] = [
    { type: 'answered' },
    ...keys('904173#'),
    { type: 'pinChecked', right: true },
    ...keys('062#'),
    { type: 'promptKnown', target },
    { type: 'playbackFinished', playback: playback('old'), outcome: 'done' },
    { type: 'recorderStarted', name: 'take-0', at: 0 },
    ...keys('#'),
    { type: 'recorderFinished', name: 'take-0', at: 5_000 },
    { type: 'takeUsable' },
    { type: 'playbackFinished', playback: playback('take-0'), outcome: 'done' },
  ];

  it('stores what was kept, and says so by tones and to the dialplan', () => {
    const { state, effects } = run([...spoken, ...keys('1'), { type: 'stored' }]);
    expect(state).toMatchObject({ kind: 'ended', outcome: { result: 'stored', target } });
    expect(effects.filter(({ type }) => type !== 'startTimer' && type !== 'stopTimer')).toEqual([
      { type: 'answer' },
      { type: 'tone', tone: 'ready' },
      { type: 'checkPin', typed: '904173' },
      { type: 'tone', tone: 'accepted' },
      { type: 'identify', code: '062' },
      { type: 'tone', tone: 'accepted' },
      { type: 'present', target },
      { type: 'tone', tone: 'speak' },
      { type: 'record', take: facts.takes[0] },
      { type: 'stopRecorder', take: facts.takes[0] },
      { type: 'judge', take: facts.takes[0], target },
      { type: 'playTake', take: facts.takes[0] },
      { type: 'tone', tone: 'ready' },
      { type: 'store', take: facts.takes[0], target },
      { type: 'discard', take: facts.takes[0] },
      { type: 'tone', tone: 'stored' },
      { type: 'returnToDialplan', outcome: { result: 'stored', target } },
    ]);
  });

  it('stores what was kept though the operator hangs up at once', () => {
    const { state } = run([...spoken, ...keys('1'), { type: 'callerLeft' }, ...keys('*'), { type: 'stored' }]);
    expect(state).toMatchObject({ outcome: { result: 'stored' } });
  });

  it('removes the take and says so when it cannot be stored', () => {
    const { state, effects } = run([...spoken, ...keys('1'), { type: 'stepFailed', step: 'store' }]);
    expect(state).toMatchObject({ outcome: { result: 'notStored', reason: 'store_failed' } });
    expect(effects).toContainEqual({ type: 'discard', take: facts.takes[0] });
    expect(effects).toContainEqual({ type: 'tone', tone: 'refused' });
  });

  it.each([
    [29_500, 'too_long'],
    [4_000, 'broken_off'],
  ])('tells a take that Asterisk ended after %i ms apart: %s', (at, reason) => {
    const { state, effects } = run([...spoken.slice(0, -4), { type: 'recorderFinished', name: 'take-0', at }]);
    expect(effects).toContainEqual({ type: 'noteCut', reason });
    expect(state).toMatchObject({ kind: 'starting', take: facts.takes[1] });
  });

  it('keeps a bounded part of a storm of keys, and that part is no PIN', () => {
    const { effects } = run([{ type: 'answered' }, ...keys(`${'7'.repeat(100_000)}#`)]);
    expect(effects).toContainEqual({ type: 'checkPin', typed: '7'.repeat(longestEntry + 1) });
  });
});
