import type { CallRequest } from '../../src/call/arguments.ts';
import { begin, decide } from '../../src/call/decide.ts';
import type { CallEvent } from '../../src/call/events.ts';
import type { Sentence } from '../../src/call/notice.ts';
import type { CallState, Effect, Facts, Order } from '../../src/call/state.ts';
import { makePolicy, type Policy } from '../../src/config/policy.ts';
import { parseConfig } from '../../src/config/load.ts';
import { makePromptLibrary, type Prompt, type PromptLibrary } from '../../src/config/prompts.ts';
import type { Config } from '../../src/config/schema.ts';
import { makeIds, type CallId, type IdMaker } from '../../src/core/ids.ts';

/** Makers of what a call needs, for tests: everything has a value, and a test gives only what it is about. */

const ulidLetters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** ULIDs in rising order, the same in each run. */
export function countingUlids(): () => string {
  let count = 0;

  return () => {
    count += 1;
    let rest = count;
    let text = '';
    for (let place = 0; place < 26; place += 1) {
      text = (ulidLetters[rest % 32] ?? '') + text;
      rest = Math.floor(rest / 32);
    }

    return text;
  };
}

export function countingIds(): IdMaker {
  return makeIds(countingUlids());
}

export function aPrompt(over: Partial<Prompt> = {}): Prompt {
  const id = over.id ?? 'notice-training';
  const language = over.language ?? 'fr';
  const sha256 = Buffer.from(`${language}/${id}`).toString('hex').padEnd(64, '0').slice(0, 64);

  return {
    id,
    language,
    text: `${id} in ${language}`,
    kind: 'purpose',
    purposes: ['training'],
    statesMaxDays: null,
    sha256,
    lengthMs: 1_000,
    soundName: `preavis/${id}-${language}`,
    ...over,
  };
}

export function aRequest(over: Partial<CallRequest> = {}): CallRequest {
  return {
    to: 'PJSIP/100',
    line: 'default',
    purposes: ['training'],
    language: undefined,
    timeoutSeconds: 30,
    ...over,
  };
}

export function anOrder(ids: IdMaker, over: Partial<Order> & { sentenceCount?: number } = {}): Order {
  const { sentenceCount = 2, ...rest } = over;
  const sentences: Sentence[] = Array.from({ length: sentenceCount }, (_, index) => ({
    prompt: aPrompt({ id: `sentence-${index + 1}` }),
    playbackId: ids.playback(),
  }));

  return {
    request: aRequest(),
    language: { languages: ['fr'], reason: 'lineDefault' },
    sentences,
    keepDays: 28,
    maximumSeconds: 14_400,
    bridge: ids.bridge(),
    destination: ids.channel(),
    recording: ids.recording(),
    ...rest,
  };
}

/** Asterisk's time of the beginning of every call of these makers: 24 August 2026, 10:00 UTC. */
export const callStart = Date.UTC(2026, 7, 24, 10);

export function someFacts(
  ids: IdMaker = countingIds(),
  over: Partial<Facts> & { sentenceCount?: number } = {},
): Facts & { order: Order } {
  const { sentenceCount = 2, order, ...rest } = over;

  return {
    id: ids.call(),
    startedAt: callStart,
    callerChannel: `1756029600.${ids.call().slice(-4)}` as Facts['callerChannel'],
    policyVersion: 'policy-1',
    asterisk: { version: '22.5.2', node: '02:42:ac:11:00:02' },
    ...rest,
    order: order ?? anOrder(ids, { sentenceCount }),
  };
}

/** The state and all effects after these events, from the beginning of the call. */
export function course(facts: Facts, events: readonly CallEvent[]): { state: CallState; effects: Effect[] } {
  let { state, effects }: { state: CallState; effects: readonly Effect[] } = begin(facts);
  const all = [...effects];
  for (const event of events) {
    ({ state, effects } = decide(state, event));
    all.push(...effects);
  }

  return { state, effects: all };
}

/** Every sentence plays from its second to its last ms, one second apart. */
export function heardNotice(order: Order): CallEvent[] {
  let at = callStart + 1_000;

  return order.sentences.flatMap(({ playbackId, prompt }): CallEvent[] => {
    const startedAt = at;
    at += prompt.lengthMs + 20;

    return [
      { type: 'playbackStarted', playbackId, at: startedAt },
      { type: 'playbackFinished', playbackId, at: startedAt + prompt.lengthMs, outcome: 'done' },
    ];
  });
}

/** The events that bring a call into this state, all going well. */
export function eventsTo(kind: CallState['kind'], { order }: { order: Order }): CallEvent[] {
  const answered: CallEvent[] = [{ type: 'ready' }, { type: 'callerAnswered' }];
  const told = [...answered, ...heardNotice(order)];
  const talking: CallEvent[] = [
    ...told,
    { type: 'destinationAnswered' },
    { type: 'recorderStarted', at: callStart + 20_000 },
  ];
  switch (kind) {
    case 'checking':
      return [];
    case 'answering':
      return [{ type: 'ready' }];
    case 'announcing':
      return answered;
    case 'dialling':
      return told;
    case 'talking':
      return talking;
    case 'closing':
      return [...talking, { type: 'callerLeft', at: callStart + 80_000 }];
    case 'ended':
      return [
        ...talking,
        { type: 'callerLeft', at: callStart + 80_000 },
        { type: 'recorderFinished', at: callStart + 80_010 },
      ];
  }
}

export function stateAt(kind: CallState['kind'], facts: Facts & { order: Order }): CallState {
  return course(facts, eventsTo(kind, facts)).state;
}

/** Effect types, in order. */
export function typesOf(effects: readonly Effect[]): Effect['type'][] {
  return effects.map((effect) => effect.type);
}

/** A configuration tree as YAML would give it: two purposes, two lines. */
export function configTree(): Record<string, unknown> {
  return {
    purposes: {
      training: {
        names: { fr: 'formation', nl: 'opleiding', de: 'Schulung', en: 'training', it: 'formazione' },
        jurisdiction: 'BE',
        consent: 'announce',
        justification: 'Team leaders listen to a few calls with the employee concerned.',
        legalBasis: 'legitimate interest',
        keepDays: 28,
      },
      agreement: {
        names: { fr: 'preuve', nl: 'bewijs', de: 'Nachweis', en: 'evidence', it: 'prova' },
        jurisdiction: 'BE',
        kind: 'evidence',
        consent: 'announce',
        justification: 'Orders are agreed by telephone and confirmed only days later.',
        legalBasis: 'contract',
        keepDays: 395,
      },
    },
    lines: {
      default: { purposes: ['training'], defaultLanguages: ['fr', 'nl'] },
      orders: { purposes: ['training', 'agreement'], language: 'nl', defaultLanguages: ['nl'] },
    },
  };
}

/** One purpose and one storage sentence for training and for agreement, in these languages. */
export function aLibrary(languages: readonly string[] = ['fr', 'nl', 'de', 'en']): PromptLibrary {
  const prompts = languages.flatMap((language) =>
    ['training', 'agreement'].flatMap((purpose) => [
      aPrompt({ id: `notice-${purpose}`, language, purposes: [purpose] }),
      aPrompt({
        id: `keep-${purpose}`,
        language,
        kind: 'storage',
        purposes: [purpose],
        statesMaxDays: { [purpose]: purpose === 'training' ? 31 : null },
      }),
    ]),
  );

  return makePromptLibrary(languages, prompts);
}

export function aPolicy(tree: unknown = configTree(), library: PromptLibrary = aLibrary()): Policy {
  const config: Config = parseConfig(tree);

  return makePolicy(config, library);
}

/** A call of this id that is known elsewhere only by it. */
export function callId(text: string): CallId {
  return text as CallId;
}
