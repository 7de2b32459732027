import type {
  BridgeRequest,
  FollowRequest,
  LanguageReason,
  Menu,
  Order,
  Script,
} from '../../../src/call/decide/order.ts';
import type { ConsentPlan } from '../../../src/call/decide/answer.ts';
import { begin, decide } from '../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { Sentence } from '../../../src/call/decide/sentence.ts';
import type { CallState, Effect, Facts } from '../../../src/call/decide/state.ts';
import type { ConsentMode } from '../../../src/config/consent.ts';
import type { Prompt, SingleKind } from '../../../src/prompts/library.ts';
import { makeIds, type ChannelId, type IdMaker } from '../../../src/core/ids.ts';

/**
 * Makers of what a call needs, for tests: everything has a value, and a test gives only what it is about. Those that load the
 * configuration, which takes its time, are in policies.ts.
 */

const ulidLetters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** ULIDs in rising order, the same in each run. */
function countingUlids(): () => string {
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
    wording: (over.kind ?? 'purpose') === 'purpose' ? 'may' : null,
    statesMaxDays: null,
    keys: null,
    made: 'placeholder',
    sha256,
    lengthMs: 1_000,
    soundName: `preavis/${id}-${language}`,
    ...over,
  };
}

export function aRequest(over: Partial<BridgeRequest> = {}): BridgeRequest {
  return {
    way: 'bridge',
    to: 'PJSIP/100',
    line: 'default',
    purposes: ['training'],
    language: undefined,
    timeoutSeconds: 30,
    ...over,
  };
}

/** The keys of every question of these makers, and the code that refuses during the talk. */
export const keys = { accept: '1', refuse: '9', featureCode: '*9' } as const;

export type ScriptShape = {
  languages?: readonly string[];
  reason?: LanguageReason;
  mode?: ConsentMode;
  /** Of the notice, in each language. */
  sentenceCount?: number;
};

const questionWaitMs = 5_000;

/** The notice and its question in each language, one language after the other, as the planner makes it. */
export function aScript(ids: IdMaker, shape: ScriptShape = {}): Script {
  const { languages = ['fr'], reason = 'lineDefault', mode = 'announce', sentenceCount = 2 } = shape;
  const say = (prompt: Prompt): Sentence => ({ prompt, playbackId: ids.playback() });
  const inLanguage = (kind: SingleKind, language: string): Sentence =>
    say(aPrompt({ id: kind, kind, language, purposes: [], keys: keysOf(kind) }));
  const single = (kind: SingleKind): Sentence[] => languages.map((language) => inLanguage(kind, language));
  const sentences = languages.flatMap((language) => [
    ...Array.from({ length: sentenceCount }, (_, index) => say(aPrompt({ id: `sentence-${index + 1}`, language }))),
    ...(mode === 'announce' ? [] : [inLanguage(mode, language)]),
  ]);
  const consent = (): ConsentPlan => {
    if (mode === 'announce') return { mode };
    const refusal = {
      acknowledgement: single('optOutAck'),
      erasure: single('erasedAck'),
      featureCode: keys.featureCode,
    };
    const { accept, refuse } = keys;
    if (mode === 'optOut') return { mode, refuse, refusal };
    const [acceptance, silence] = [single('optInAck'), single('noAnswer')];
    return { mode, accept, refuse, refusal, acceptance, silence, waitMs: questionWaitMs };
  };

  return {
    language: { languages, reason, unavailable: [] },
    sentences,
    consent: consent(),
  };
}

function keysOf(kind: Prompt['kind']): Prompt['keys'] {
  if (kind === 'optOut') return { refuse: keys.refuse };
  return kind === 'optIn' ? { accept: keys.accept, refuse: keys.refuse } : null;
}

/** Offers French by 1 and Dutch by 2; in each the rest of the call has this shape. */
function aMenu(ids: IdMaker, shape: Omit<ScriptShape, 'languages' | 'reason'> = {}): Menu {
  const languages = ['fr', 'nl'];
  const digitOf = (language: string): string => String(languages.indexOf(language) + 1);

  return {
    prompts: languages.map((language) => ({
      prompt: aPrompt({
        id: 'choose',
        kind: 'chooseLanguage',
        language,
        purposes: [],
        keys: { choose: digitOf(language) },
      }),
      playbackId: ids.playback(),
    })),
    options: languages.map((language) => ({
      digit: digitOf(language),
      script: aScript(ids, { ...shape, languages: [language], reason: 'choice' }),
    })),
    waitMs: 4_000,
  };
}

/** What a test may say of an order instead of giving its parts. */
export type OrderShape = ScriptShape & { asksLanguage?: boolean };

export function anOrder(ids: IdMaker, over: Partial<Order> & OrderShape = {}): Order {
  const { languages, reason, mode, sentenceCount, asksLanguage = false, ...rest } = over;
  const shape: ScriptShape = {
    ...(languages === undefined ? {} : { languages }),
    ...(reason === undefined ? {} : { reason }),
    ...(mode === undefined ? {} : { mode }),
    ...(sentenceCount === undefined ? {} : { sentenceCount }),
  };

  return {
    request: aRequest(),
    script: aScript(ids, shape),
    menu: asksLanguage ? aMenu(ids, shape) : undefined,
    asked: { reason: shape.mode === 'optIn' ? 'callerCountry' : 'purpose', purposes: ['training'] },
    sampled: true,
    keepDays: 28,
    maximumSeconds: 14_400,
    bridge: ids.bridge(),
    destination: ids.channel(),
    recording: ids.recording(),
    ...rest,
  };
}

/** Asterisk's time of the beginning of every call of these makers: 24 August 2026, 10:00 UTC. */
/** A channel that is neither of the two. */
export const stranger = 'a-stranger' as ChannelId;
export const callStart = Date.UTC(2026, 7, 24, 10);

export function someFacts(
  ids: IdMaker = countingIds(),
  over: Partial<Facts> & OrderShape & { sampled?: boolean } = {},
): Facts & { order: Order } {
  const { order, languages, reason, mode, sentenceCount, asksLanguage, sampled = true, ...rest } = over;
  const given = { languages, reason, mode, sentenceCount, asksLanguage };
  const shape = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as OrderShape;

  return {
    id: ids.call(),
    startedAt: callStart,
    callerChannel: `1756029600.${ids.call().slice(-4)}` as Facts['callerChannel'],
    policyVersion: 'policy-1',
    asterisk: { version: '22.5.2', node: '02:42:ac:11:00:02' },
    request: aRequest(),
    ...rest,
    order: order ?? anOrder(ids, { ...shape, sampled }),
  };
}

/** A call of the way `follow`. */
export function aFollowed(shape: OrderShape = {}): Facts & { order: Order } {
  const facts = someFacts(countingIds(), shape);
  const request: FollowRequest = { way: 'follow', line: 'default', purposes: ['training'], language: undefined };

  return { ...facts, request, order: { ...facts.order, request } };
}

/** As aFollowed, of an outgoing call: the one who was called stands for the caller. */
export function anOutgoing(shape: OrderShape = {}): Facts & { order: Order } {
  const called = { noticeChannel: 'notice;2' as ChannelId, dialler: 'dialler-1' as ChannelId };

  return { ...aFollowed(shape), called };
}

/** The first step of this call: what it is to become is not planned yet. */
export function beginning(facts: Facts): ReturnType<typeof begin> {
  return begin({ ...facts, order: undefined });
}

/** The state and all effects after these events, from the beginning of the call. */
export function course(facts: Facts, events: readonly CallEvent[]): { state: CallState; effects: Effect[] } {
  let { state, effects }: { state: CallState; effects: readonly Effect[] } = beginning(facts);
  const all = [...effects];
  for (const event of events) {
    ({ state, effects } = decide(state, event));
    all.push(...effects);
  }

  return { state, effects: all };
}

/** Every sentence is heard whole, 20 ms after the one before it. */
export function heard(sentences: readonly Sentence[], from = callStart + 1_000): CallEvent[] {
  let at = from;

  return sentences.flatMap(({ playbackId, prompt }): CallEvent[] => {
    const startedAt = at;
    at += prompt.lengthMs + 20;

    return [
      { type: 'playbackStarted', playbackId, at: startedAt },
      { type: 'playbackFinished', playbackId, at: startedAt + prompt.lengthMs, outcome: 'done' },
    ];
  });
}

export function heardNotice({ script }: Pick<Order, 'script'>): CallEvent[] {
  return [...heard(script.sentences), { type: 'noticeConfirmed' }];
}

export function press(digits: string, at = callStart + 15_000): CallEvent[] {
  return Array.from(digits, (digit, index) => ({ type: 'digit', digit, at: at + 100 * index }));
}

/** The number of events after which a call without a menu is answered and announces. */
export const eventsBeforeTheNotice = 3;

/**
 * The events that bring a call into this state, all going well: nobody chooses a language, and who is asked says yes, but
 * for `acknowledging`, where they refuse at once.
 */
export function eventsTo(kind: CallState['kind'], { order }: { order: Order }): CallEvent[] {
  const { menu, script } = order;
  const answered: CallEvent[] = [{ type: 'planned', order }, { type: 'ready' }, { type: 'callerAnswered' }];
  const announcing: CallEvent[] =
    menu === undefined ? answered : [...answered, ...heard(menu.prompts), { type: 'timeUp', timer: 'choice' }];
  const asked = [...announcing, ...heardNotice(order)];
  const { consent } = script;
  const accepted = consent.mode === 'optIn' ? [...asked, ...press(consent.accept)] : asked;
  const told = consent.mode === 'optIn' ? [...accepted, ...heard(consent.acceptance, callStart + 16_000)] : asked;
  const talking: CallEvent[] = [
    ...told,
    { type: 'destinationAnswered', at: callStart + 10_000 },
    { type: 'recorderStarted', at: callStart + 20_000 },
  ];
  switch (kind) {
    case 'planning':
      return [];
    case 'checking':
      return answered.slice(0, 1);
    case 'answering':
      return answered.slice(0, 2);
    case 'choosing':
      return answered;
    case 'announcing':
      return announcing;
    case 'confirming':
      return asked.slice(0, -1);
    case 'asking':
      return asked;
    case 'accepting':
      return accepted;
    case 'acknowledging':
      return [...announcing, ...press(keys.refuse)];
    case 'dialling':
      return told;
    case 'releasing':
    case 'following':
      throw new TypeError(`a call that is not followed is never ${kind}`);
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

/** Throws when a call of this shape never comes there. */
export function stateAt(kind: CallState['kind'], facts: Facts & { order: Order }): CallState {
  const { state } = course(facts, eventsTo(kind, facts));
  if (state.kind !== kind) throw new Error(`such a call is ${state.kind} and not ${kind}`);

  return state;
}

/** Effect types, in order. */
export function typesOf(effects: readonly Effect[]): Effect['type'][] {
  return effects.map((effect) => effect.type);
}

const names = { fr: 'nom', nl: 'naam', de: 'Name', en: 'name', it: 'nome' };

/** A configuration tree as YAML would give it: two purposes, two lines, nobody is asked anything. */
export function configTree(): Record<string, unknown> {
  return {
    purposes: {
      training: {
        names,
        justification: 'Team leaders listen to a few calls with the employee concerned.',
        legalBasis: 'legitimate interest',
        jurisdiction: 'BE',
        kind: 'training',
        consent: 'announce',
        keepDays: 28,
      },
      agreement: {
        names,
        justification: 'Orders are agreed by telephone and confirmed only days later.',
        legalBasis: 'contract',
        jurisdiction: 'BE',
        kind: 'evidence',
        consent: 'announce',
        keepDays: 392,
      },
    },
    lines: {
      default: { purposes: ['training'], defaultLanguages: ['fr', 'nl'] },
      orders: { purposes: ['training', 'agreement'], language: 'nl', defaultLanguages: ['nl'] },
    },
  };
}

/** The configuration of these makers, in which calls for training must be recorded by law, or nobody is put through. */
export function obligedTree(): ReturnType<typeof configTree> {
  const tree = structuredClone(configTree()) as { purposes: Record<string, Record<string, unknown>> };
  Object.assign(tree.purposes['training'] ?? {}, {
    kind: 'obligation',
    jurisdiction: 'other',
    whenUnrecordable: 'turnAway',
  });

  return tree;
}

/** The single sentences of a language that calls with consent or a choice of language need. */
export function singlePrompts(languages: readonly string[]): Prompt[] {
  const kinds = [
    'optOut',
    'optIn',
    'optOutAck',
    'optInAck',
    'noAnswer',
    'erasedAck',
    'chooseLanguage',
    'turnedAway',
    'paused',
    'resumed',
  ] as const;

  return languages.flatMap((language, index) =>
    kinds.map((kind) =>
      aPrompt({
        id: kind,
        kind,
        language,
        purposes: [],
        keys: kind === 'chooseLanguage' ? { choose: String(index + 1) } : keysOf(kind),
      }),
    ),
  );
}
