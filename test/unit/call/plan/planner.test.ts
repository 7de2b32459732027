import { jest } from '@jest/globals';
import { makePlanner, type Arrival } from '../../../../src/call/plan/planner.ts';
import { sentencesOf, type Order, type Script } from '../../../../src/call/decide/order.ts';
import type { EarlierNotices } from '../../../../src/call/plan/earlierNotices.ts';
import type { DialledKeeper } from '../../../../src/call/plan/dialledNumber.ts';
import type { CallerKeeper } from '../../../../src/call/plan/callerStore.ts';
import { makePolicy, neededPrompts, type Policy } from '../../../../src/policy/policy.ts';
import { parseConfig } from '../../../../src/config/load.ts';
import { makePromptLibrary } from '../../../../src/prompts/library.ts';
import { PreavisError, type ErrorCode } from '../../../../src/core/errors.ts';
import { makeIds, type ChannelId } from '../../../../src/core/ids.ts';
import { aPrompt, aRequest, configTree, countingIds, obligedTree } from '../../../support/call/calls.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { aLibrary } from '../../../support/policy/policies.ts';

const call = makeIds().call();

type Tree = { purposes: Record<string, Record<string, unknown>>; lines: Record<string, Record<string, unknown>> };
type Change = { training?: object; agreement?: object; line?: object; rest?: object };

/** The policy of the makers with these keys of its purposes, its first line and the rest. */
function policyWith({ training = {}, agreement = {}, line = {}, rest = {} }: Change = {}): Policy {
  const tree = structuredClone(configTree()) as Tree;
  Object.assign(tree.purposes['training'] ?? {}, training);
  Object.assign(tree.purposes['agreement'] ?? {}, agreement);
  Object.assign(tree.lines['default'] ?? {}, line);

  return makePolicy(parseConfig({ ...tree, ...rest }), aLibrary());
}

type Given = {
  policy?: Policy;
  preference?: string;
  /** A function stands for Asterisk. */
  header?: string | (() => Promise<string>);
  random?: number;
  keep?: CallerKeeper['keep'];
  /** Of a channel, where they are more than one. */
  variables?: (name: string, channel: string) => string;
  /** Without one it is not kept. */
  keepDialled?: DialledKeeper['keep'];
  earlier?: EarlierNotices;
} & Partial<Arrival>;

async function planned({
  policy = policyWith(),
  preference,
  header = '',
  random = 0,
  keep = () => Promise.resolve(),
  keepDialled,
  variables,
  earlier = { heardBy: () => Promise.resolve([]) },
  ...arrival
}: Given = {}) {
  const asked: string[] = [];
  const { log, lines, text } = collectingLog();
  const planner = makePlanner({
    policy,
    preferences: {
      find: (number) => {
        asked.push(`preference of ${number}`);
        return Promise.resolve(preference);
      },
      remember: () => Promise.reject(new Error('planning remembers nothing')),
    },
    callers: { keep },
    dialled: keepDialled && { keep: keepDialled },
    earlier,
    variable: (channelId, name) => {
      asked.push(`${name} of ${channelId}`);
      if (variables !== undefined) return Promise.resolve(variables(name, channelId));

      return typeof header === 'string' ? Promise.resolve(header) : header();
    },
    ids: countingIds(),
    random: () => random,
    log,
  });
  const order = await planner.plan({
    call,
    request: aRequest(),
    channelId: 'caller-1' as ChannelId,
    channelLanguage: 'en',
    callerNumber: '',
    ...arrival,
  });

  return { order, asked, lines, text };
}

async function orderOf(given: Given = {}): Promise<Order> {
  const { order } = await planned(given);
  if (typeof order === 'string') throw new Error(`the call was not planned: ${order}`);

  return order;
}

describe('the number that was dialled', () => {
  /** What is kept of a call, once all that its planning began is done. */
  async function dialled(given: Given): Promise<{ kept: string[]; asked: string[]; lines: object[]; text: string }> {
    const kept: string[] = [];
    const keepDialled = (_: unknown, number: string): Promise<void> => {
      kept.push(number);
      return Promise.resolve();
    };
    const { asked, lines, text } = await planned({ keepDialled, ...given });
    await new Promise(setImmediate);

    return { kept, asked, lines, text: text() };
  }

  test('is asked of the channel, where it is kept, and nobody waits for the answer', async () => {
    const endpoint = 'trunk';
    const { kept, asked } = await dialled({ endpoint, header: '025550100' });
    expect(kept).toEqual(['+3225550100']);
    expect(asked).toContain('CALLERID(dnid) of caller-1');
    const without = await planned({ endpoint, header: '025550100' });
    expect(without.asked).not.toContain('CALLERID(dnid) of caller-1');
    const never = (): Promise<string> => new Promise(() => undefined);
    const request = { ...aRequest(), language: 'fr' } as const;
    expect((await dialled({ endpoint, header: never, request })).kept).toEqual([]);
  });

  test('is that of the first channel, where a Local/ channel comes, unless that is of the house', async () => {
    const policy = policyWith({ rest: { staff: { extensions: ['_1XX'] } } });
    const asterisk =
      (name: string) =>
      (variable: string, channel: string): string =>
        new Map([
          ['CHANNEL(linkedid) of caller-1', 'first-1'],
          ['CHANNEL(name) of first-1', name],
          ['CALLERID(dnid) of first-1', '025550100'],
        ]).get(`${variable} of ${channel}`) ?? '';
    expect((await dialled({ policy, variables: asterisk('PJSIP/trunk-00000001') })).kept).toEqual(['+3225550100']);
    expect((await dialled({ policy, variables: asterisk('PJSIP/101-00000001') })).kept).toEqual([]);
    const did = '025550101';
    expect((await dialled({ policy, did, variables: asterisk('PJSIP/trunk-00000001') })).kept).toEqual(['+3225550101']);
    expect((await dialled({ policy, did, variables: asterisk('PJSIP/101-00000001') })).kept).toEqual([]);
    // A program has begun the call: it may be for somebody of the house, who clicked on a number.
    expect((await dialled({ policy, did, variables: asterisk('Local/600@inside-00000001;1') })).kept).toEqual([]);
    expect((await dialled({ policy, did, variables: () => '' })).kept).toEqual([]);
    const { kept, asked } = await dialled({ endpoint: 'trunk', variables: asterisk('PJSIP/trunk-00000001') });
    expect([kept, asked.filter((each) => each.includes('linkedid'))]).toEqual([[], []]);
  });

  test('is what the dialplan says, where it says it', async () => {
    const { kept, asked } = await dialled({ endpoint: 'trunk', did: '3225550101', header: '025550100' });
    expect(kept).toEqual(['+3225550101']);
    expect(asked).not.toContain('CALLERID(dnid) of caller-1');
    expect((await dialled({ endpoint: 'trunk', did: 'a b', header: '025550100' })).kept).toEqual([]);
  });

  test('is not kept of an outgoing call, nor of one that somebody of the house places', async () => {
    expect((await dialled({ channelId: undefined, header: '025550100' })).kept).toEqual([]);
    const policy = policyWith({ rest: { staff: { extensions: ['_1XX'] } } });
    expect((await dialled({ policy, endpoint: '101', header: '025550100' })).kept).toEqual([]);
    expect((await dialled({ policy, endpoint: 'trunk', header: '025550100' })).kept).toEqual(['+3225550100']);
  });

  test('that cannot be read or stored lets the call go on, and is in no message', async () => {
    const failed = (code: ErrorCode) => (): Promise<never> => Promise.reject(new PreavisError(code, 'no'));
    const gone = await dialled({ endpoint: 'trunk', header: failed('ari_request_failed') });
    expect(gone).toMatchObject({ kept: [], lines: [] });
    const keepDialled = failed('catalogue_unusable');
    const { lines, text } = await dialled({ endpoint: 'trunk', keepDialled, did: '025550100' });
    expect(lines).toMatchObject([{ level: 'warn', call, code: 'catalogue_unusable' }]);
    expect(text).not.toMatch(/555/);
  });
});

const said = (script: Script | undefined): string[] =>
  (script?.sentences ?? []).map(({ prompt }) => `${prompt.language} ${prompt.id}`);

describe('the order of a call', () => {
  test('says the notice in one language, asks nothing, and holds nothing of the caller', async () => {
    const order = await orderOf({ callerNumber: '+3292661234' });
    expect(said(order.script)).toEqual(['nl notice-training', 'nl keep-training']);
    expect(order).toMatchObject({ menu: undefined, sampled: true, keepDays: 28, maximumSeconds: 14_400 });
    expect(order.script.consent).toEqual({ mode: 'announce' });
    expect(JSON.stringify(order)).not.toContain('266');
  });

  test('has what a caller hears who is turned away, in the languages of the notice, where they must be recorded', async () => {
    const policy = makePolicy(parseConfig(obligedTree()), aLibrary());
    const request = { ...aRequest(), mustRecord: true } as const;
    const order = await orderOf({ policy, request, callerNumber: '+3225501234' });
    expect(order.turnedAway).toEqual(['fr/preavis/turnedAway-fr', 'nl/preavis/turnedAway-nl']);
    expect((await orderOf({ policy })).turnedAway).toBeUndefined();
  });

  test('waits for nobody who keeps whose call it is, and goes on without', async () => {
    const kept: unknown[] = [];
    const never = (...given: unknown[]): Promise<void> => {
      kept.push(given);
      return new Promise(() => undefined);
    };
    await orderOf({ callerNumber: '+3292661234', keep: never });
    expect(kept).toEqual([[call, '+3292661234']]);
    const keep = (): Promise<void> => Promise.reject(new PreavisError('catalogue_unusable', 'no room'));
    const { order, lines, text } = await planned({ callerNumber: '+3292661234', keep });
    expect(typeof order).toBe('object');
    expect(lines).toMatchObject([{ level: 'warn', call, code: 'catalogue_unusable' }]);
    expect(text()).not.toContain('661234');
  });

  test('has no two things with the same id', async () => {
    const policy = policyWith({ training: { consent: 'optIn' }, line: { askLanguage: true } });
    const order = await orderOf({ policy });
    const ids = [...sentencesOf(order).map((each) => each.playbackId), order.bridge, order.destination];
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(20);
  });

  test('is none when no language has a notice, or the line is unknown', async () => {
    expect((await planned({ policy: { ...policyWith(), notice: () => undefined } })).order).toBe('no_language');
    expect((await planned({ request: aRequest({ line: 'gone' }) })).order).toBe('no_language');
  });

  test('asks Asterisk for the header of this channel, and only when it is needed', async () => {
    const asked = 'PJSIP_HEADER(read,Accept-Language) of caller-1';
    expect((await planned({ header: 'de' })).asked).toContain(asked);
    expect((await orderOf({ header: 'de' })).script.language).toMatchObject({
      languages: ['de'],
      reason: 'acceptLanguage',
    });
    expect((await planned({ callerNumber: '+3292661234' })).asked).not.toContain(asked);
  });

  test('takes the language that this caller chose before', async () => {
    const given = { preference: 'de', callerNumber: '+3292661234' };
    const { asked } = await planned(given);
    expect((await orderOf(given)).script.language).toEqual({
      languages: ['de'],
      reason: 'preference',
      unavailable: [],
    });
    expect(asked).toEqual(['preference of +3292661234']);
  });
});

describe('a header Accept-Language that cannot be read', () => {
  const byDefault = { languages: ['fr', 'nl'], reason: 'lineDefault' };

  test.each<[ErrorCode, number]>([
    ['ari_unreachable', 1],
    ['ari_unauthorized', 1],
    // There is no such header, or no SIP.
    ['ari_request_failed', 0],
  ])('because of %s says nothing, and the line decides; lines in the log: %d', async (code, warnings) => {
    const { order, lines } = await planned({
      header: () => Promise.reject(new PreavisError(code, 'no header')),
      callerNumber: 'anonymous',
    });
    expect(order).toMatchObject({ script: { language: byDefault } });
    expect(lines).toEqual(Array(warnings).fill(expect.objectContaining({ level: 'warn', call, code })));
  });

  test('in time says nothing, and is not waited for longer than half the time of planning', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    try {
      let isPlanned = false;
      const planning = planned({ header: () => new Promise<never>(() => undefined) }).finally(() => {
        isPlanned = true;
      });
      await jest.advanceTimersByTimeAsync(1_499);
      expect(isPlanned).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
      const { order, lines } = await planning;
      expect(order).toMatchObject({ script: { language: byDefault } });
      expect(lines).toMatchObject([{ level: 'warn', call, code: 'ari_unreachable' }]);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  test('is told without anything of the caller', async () => {
    const { text } = await planned({
      header: () => Promise.reject(new Error('nl-BE of +32475123456')),
      callerNumber: '+32475123456',
    });
    expect(text()).not.toMatch(/475|nl-BE/);
  });
});

describe('the question', () => {
  const both = { callerNumber: '+3225501234' };

  test('of an opt-out stands behind the notice of its language, in both, with its key and acknowledgement', async () => {
    const { script } = await orderOf({ policy: policyWith({ training: { consent: 'optOut' } }), ...both });
    expect(said(script)).toEqual([
      'fr notice-training',
      'fr keep-training',
      'fr optOut',
      'nl notice-training',
      'nl keep-training',
      'nl optOut',
    ]);
    if (script.consent.mode !== 'optOut') throw new Error('the caller may refuse');
    expect(script.consent).toMatchObject({ refuse: '9', refusal: { featureCode: '*9' } });
    expect(script.consent.refusal.acknowledgement.map(({ prompt }) => `${prompt.language} ${prompt.kind}`)).toEqual([
      'fr optOutAck',
      'nl optOutAck',
    ]);
  });

  test('of an opt-in has both keys from its sentence, and the time from the configuration', async () => {
    const policy = policyWith({
      training: { consent: 'optIn' },
      rest: { consent: { waitSeconds: 7, featureCode: '##' } },
    });
    const { script } = await orderOf({ policy, ...both });
    expect(said(script).filter((each) => each.endsWith('optIn'))).toEqual(['fr optIn', 'nl optIn']);
    expect(script.consent).toMatchObject({
      mode: 'optIn',
      accept: '1',
      refuse: '9',
      waitMs: 7_000,
      refusal: { featureCode: '##' },
    });
  });

  test('has the keys that the sentences name, whatever they are', async () => {
    const prompts = aLibrary().prompts.map((prompt) =>
      prompt.kind === 'optIn' ? { ...prompt, keys: { accept: '#', refuse: '0' } } : prompt,
    );
    const tree = structuredClone(configTree()) as Tree;
    Object.assign(tree.purposes['training'] ?? {}, { consent: 'optIn' });
    const policy = makePolicy(parseConfig(tree), makePromptLibrary(['fr', 'nl', 'de', 'en'], prompts));
    expect((await orderOf({ policy })).script.consent).toMatchObject({ accept: '#', refuse: '0' });
  });

  test.each([
    ['a German number', '+4930123456', 'optIn'],
    ['a German mobile', '+4915112345678', 'optIn'],
    ['a Belgian number', '+3225501234', 'announce'],
    ['a withheld number', 'anonymous', 'announce'],
    ['no number', '', 'announce'],
  ])('is for %s, where Germans are asked, as %s: %s', async (_, callerNumber, mode) => {
    const policy = policyWith({ training: { optInForCountries: ['DE'] } });
    const { script, asked } = await orderOf({ policy, callerNumber });
    expect(script.consent.mode).toBe(mode);
    expect(asked).toEqual({ reason: mode === 'optIn' ? 'callerCountry' : 'purpose', purposes: ['training'] });
  });

  test.each<[string, (policy: Policy) => Policy['sentence']]>([
    ['it is not there', (policy) => (kind, tag) => (kind === 'optIn' ? undefined : policy.sentence(kind, tag))],
    [
      'it is not there in the second language',
      (policy) => (kind, tag) => {
        return kind === 'optIn' && tag === 'nl' ? undefined : policy.sentence(kind, tag);
      },
    ],
    [
      'nothing can be said after a no',
      (policy) => (kind, tag) => {
        return kind === 'optOutAck' ? undefined : policy.sentence(kind, tag);
      },
    ],
    [
      'nothing can be said after a yes',
      (policy) => (kind, tag) => {
        return kind === 'optInAck' ? undefined : policy.sentence(kind, tag);
      },
    ],
    [
      'nothing can be said after silence',
      (policy) => (kind, tag) => {
        return kind === 'noAnswer' ? undefined : policy.sentence(kind, tag);
      },
    ],
    [
      'its keys contradict each other',
      (policy) => (kind, tag) => {
        const found = policy.sentence(kind, tag);
        return found === undefined || tag === 'fr' ? found : { ...found, keys: { accept: '9', refuse: '1' } };
      },
    ],
  ])('of a purpose that only a dialplan names makes the call go on unrecorded when %s', async (_, change) => {
    const policy = policyWith({ agreement: { consent: 'optIn' } });
    const request = aRequest({ purposes: ['agreement'] });
    const { order } = await planned({ policy: { ...policy, sentence: change(policy) }, request, ...both });
    expect(order).toBe('prompts_missing');
  });

  test('that is missing in a language takes it from the menu', async () => {
    const policy = policyWith({ training: { consent: 'optOut' }, line: { askLanguage: true } });
    const sentence: Policy['sentence'] = (kind, tag) =>
      kind === 'optOut' && tag === 'de' ? undefined : policy.sentence(kind, tag);
    const { menu } = await orderOf({ policy: { ...policy, sentence } });
    expect(menu?.options.map(({ digit }) => digit)).toEqual(['1', '2', '4']);
  });

  test('is that of the strictest of the purposes', async () => {
    const policy = policyWith({ training: { consent: 'optOut' } });
    const request = aRequest({ line: 'orders', purposes: ['training', 'agreement'] });
    expect((await orderOf({ policy, request })).script.consent.mode).toBe('optOut');
    expect((await orderOf({ policy, request: aRequest({ purposes: ['agreement'] }) })).script.consent.mode).toBe(
      'announce',
    );
  });
});

describe('an agreement that waits for its code', () => {
  const codes = { agreement: { code: '*6', purpose: 'agreement' } };
  const policy = policyWith({ line: { purposes: ['training', 'agreement'], codes } });
  const request = (...purposes: string[]) => aRequest({ purposes });

  test('is told in the notice, and is no purpose of the call yet', async () => {
    const order = await orderOf({ policy, request: request('training', 'agreement') });
    expect(said(order.script)).toEqual(expect.arrayContaining(['fr notice-training', 'fr notice-agreement']));
    expect(order).toMatchObject({
      request: { purposes: ['training'] },
      keepDays: 28,
      agreement: { purpose: 'agreement', keepDays: 392 },
    });
  });

  test('is the purpose of a call that has no other, and is told of in none that the dialplan gives another', async () => {
    expect(await orderOf({ policy, request: request('agreement') })).toMatchObject({
      request: { purposes: ['agreement'] },
      keepDays: 392,
    });
    const other = await orderOf({ policy, request: request('training') });
    expect(said(other.script).join()).not.toContain('agreement');
  });

  test('takes no part in the lot: a call that the others leave out is not recorded', async () => {
    const rare = policyWith({
      training: { recordPercent: 10 },
      line: { purposes: ['training', 'agreement'], codes },
    });
    const drawn = await orderOf({ policy: rare, request: request('training', 'agreement'), random: 0.5 });
    expect(drawn.sampled).toBe(false);
  });

  test('is a purpose from the beginning on a line without such a code', async () => {
    const plain = await orderOf({
      policy: policyWith({ line: { purposes: ['training', 'agreement'] } }),
      request: request('training', 'agreement'),
    });
    expect(plain).toMatchObject({ request: { purposes: ['training', 'agreement'] }, keepDays: 392 });
    expect(plain.agreement).toBeUndefined();
  });
});

describe('a line that records on request', () => {
  test('makes calls that wait for that, unless the law wants them recorded', async () => {
    expect((await orderOf()).records).toBeUndefined();
    const line = { records: 'onRequest' };
    expect((await orderOf({ policy: policyWith({ line }) })).records).toBe('onRequest');
    const obligation = { kind: 'obligation', jurisdiction: 'other' };
    const policy = policyWith({ training: obligation, line: { ...line, purposes: ['agreement'] } });
    const obliged = await orderOf({ policy, request: aRequest({ purposes: ['training'] }) });
    expect(obliged.records).toBeUndefined();
  });
});

describe('the menu of languages', () => {
  const policy = policyWith({ training: { consent: 'optOut' }, line: { askLanguage: true } });

  test('offers every language by the key that its own sentence names', async () => {
    const { menu } = await orderOf({ policy });
    expect(menu?.prompts.map(({ prompt }) => `${prompt.language} ${prompt.id}`)).toEqual([
      'fr chooseLanguage',
      'nl chooseLanguage',
      'de chooseLanguage',
      'en chooseLanguage',
    ]);
    expect(menu?.options.map(({ digit, script }) => [digit, script.language])).toEqual(
      ['fr', 'nl', 'de', 'en'].map((language, index) => [
        String(index + 1),
        { languages: [language], reason: 'choice', unavailable: [] },
      ]),
    );
    expect(menu?.waitMs).toBe(4_000);
  });

  test('leads to the whole notice and the question in the language that was chosen', async () => {
    const { menu } = await orderOf({ policy });
    const german = menu?.options[2]?.script;
    expect(said(german)).toEqual(['de notice-training', 'de keep-training', 'de optOut']);
    expect(german?.consent).toMatchObject({
      mode: 'optOut',
      refuse: '9',
      refusal: { acknowledgement: [{ prompt: { language: 'de' } }] },
    });
  });

  test.each<[string, Given]>([
    ['the dialplan knows the language', { request: aRequest({ language: 'fr' }) }],
    ['the caller has chosen before', { preference: 'nl' }],
    ['the line does not ask', { policy: policyWith({ training: { consent: 'optOut' } }) }],
  ])('is not offered when %s', async (_, given) => {
    expect((await orderOf({ policy, ...given })).menu).toBeUndefined();
  });

  test('does not offer a language without a notice, nor one alone', async () => {
    const only = (...languages: string[]): Policy => ({
      ...policy,
      notice: (purposes, language) => (languages.includes(language) ? policy.notice(purposes, language) : undefined),
    });
    expect((await orderOf({ policy: only('fr', 'de') })).menu?.options.map(({ digit }) => digit)).toEqual(['1', '3']);
    expect((await orderOf({ policy: only('fr') })).menu).toBeUndefined();
  });
});

describe('drawing lots', () => {
  const policy = policyWith({ training: { recordPercent: 20 }, agreement: { recordPercent: 60 } });
  const request = aRequest({ line: 'orders', purposes: ['training', 'agreement'] });

  test.each([
    [0, true, ['training', 'agreement'], 392],
    [0.19, true, ['training', 'agreement'], 392],
    [0.2, true, ['agreement'], 392],
    [0.59, true, ['agreement'], 392],
    [0.6, false, ['training', 'agreement'], 0],
    [0.999, false, ['training', 'agreement'], 0],
  ])('a draw of %d: recorded %p for %j, %d days', async (random, sampled, purposes, keepDays) => {
    const order = await orderOf({ policy, request, random });
    expect(order).toMatchObject({ sampled, keepDays, request: { purposes } });
  });

  test('does not change what is said: everybody is told of every purpose', async () => {
    const first = said((await orderOf({ policy, request, random: 0 })).script);
    expect(said((await orderOf({ policy, request, random: 0.9 })).script)).toEqual(first);
    expect(first).toHaveLength(4);
  });
});

describe('the sentences of a company', () => {
  const own = (['company', 'more', 'refuseLater'] as const).flatMap((kind) =>
    ['fr', 'nl'].map((language) =>
      aPrompt({
        id: kind,
        kind,
        language,
        purposes: [],
        wording: null,
        keys: kind === 'refuseLater' ? { code: '*9' } : null,
      }),
    ),
  );
  const withOwn = (consent: string): Policy => {
    const library = aLibrary();
    const tree = structuredClone(configTree()) as Tree;
    Object.assign(tree.purposes['training'] ?? {}, { consent });

    return makePolicy(parseConfig(tree), makePromptLibrary(library.languages, [...library.prompts, ...own]));
  };
  const both = { callerNumber: '+3225501234' };

  test('stand around the notice of their language, before the question, and each language is whole', async () => {
    expect(said((await orderOf({ policy: withOwn('optOut'), ...both })).script)).toEqual(
      ['fr', 'nl'].flatMap((language) =>
        ['company', 'notice-training', 'keep-training', 'more', 'refuseLater', 'optOut'].map(
          (id) => `${language} ${id}`,
        ),
      ),
    );
  });

  test('tell no code where a caller cannot refuse', async () => {
    const order = await orderOf({ policy: withOwn('announce'), request: aRequest({ language: 'fr' }) });
    expect(said(order.script)).toEqual(['fr company', 'fr notice-training', 'fr keep-training', 'fr more']);
  });

  test('are left out in a language that has none', async () => {
    const german = await orderOf({ policy: withOwn('optOut'), request: aRequest({ language: 'de' }) });
    expect(said(german.script)).toEqual(['de notice-training', 'de keep-training', 'de optOut']);
  });

  test('are needed on Asterisk as all others', () => {
    const ids = (consent: string): string[] => neededPrompts(withOwn(consent)).map(({ id }) => id);
    expect(ids('optOut')).toEqual(expect.arrayContaining(['company', 'more', 'refuseLater']));
    expect(ids('announce')).not.toContain('refuseLater');
  });

  test('that tell another code than the one that is obeyed are refused', () => {
    const library = aLibrary();
    const other = aPrompt({ id: 'later', kind: 'refuseLater', purposes: [], wording: null, keys: { code: '#1' } });
    const prompts = [...library.prompts, other];
    expect(() => makePolicy(parseConfig(configTree()), makePromptLibrary(library.languages, prompts))).toThrow(
      'consent.featureCode: *9 is another code than prompt later (fr) tells (#1)',
    );
  });
});

describe('a caller who has heard the whole notice lately', () => {
  const again = ['fr', 'nl', 'de', 'en'].map((language) =>
    aPrompt({ id: 'again', kind: 'again', language, purposes: [], wording: null }),
  );
  const policyOf = (training: object, line: object = {}): Policy => {
    const library = aLibrary();
    const tree = structuredClone(configTree()) as Tree;
    Object.assign(tree.purposes['training'] ?? {}, {
      jurisdiction: 'FR',
      keepDays: 28,
      checkedByCounsel: true,
      ...training,
    });
    Object.assign(tree.lines['default'] ?? {}, line);
    const rest = {
      notice: { shorterWithinDays: 30 },
      privacy: { hashKey: 'a key of the tests that hides nobody at all' },
    };

    return makePolicy(
      parseConfig({ ...tree, ...rest }),
      makePromptLibrary(library.languages, [...library.prompts, ...again]),
    );
  };
  const optOut = policyOf({ consent: 'optOut' });
  const french = aRequest({ language: 'fr' });
  const before = makeIds().call();
  const heardWhole: EarlierNotices = {
    heardBy: () =>
      Promise.resolve(
        ['notice-training', 'keep-training'].map((id, index) => ({
          call: before,
          sha256: aPrompt({ id, language: 'fr' }).sha256,
          finishedAt: 1_000 + index,
        })),
      ),
  };

  test('hears a shorter one, with its question, and the order says which earlier one counts', async () => {
    const order = await orderOf({ policy: optOut, request: french, earlier: heardWhole });
    expect(said(order.script)).toEqual(['fr again', 'fr optOut']);
    expect(order.earlier).toEqual({ call: before, finishedAt: 1_001 });
  });

  test.each<[string, Given]>([
    ['in another language', { policy: optOut, request: aRequest({ language: 'nl' }) }],
    ['and is asked for consent', { policy: policyOf({ consent: 'optIn' }) }],
    ['and the law wants it told each time', { policy: policyOf({ consent: 'optOut', jurisdiction: 'BE' }) }],
    ['and the configuration does not want that', { policy: policyWith({ training: { consent: 'optOut' } }) }],
    [
      'and somebody may mark an agreement',
      {
        policy: policyOf(
          { consent: 'optOut' },
          { purposes: ['training', 'agreement'], codes: { agreement: { code: '*5', purpose: 'agreement' } } },
        ),
      },
    ],
  ])('hears all of it %s', async (_, given) => {
    const order = await orderOf({ request: french, earlier: heardWhole, ...given });
    expect(said(order.script)[0]).toMatch(/notice-training$/);
    expect(order.earlier).toBeUndefined();
  });

  test('hears all of it where earlier calls cannot be looked up, which is told without the number', async () => {
    const earlier = { heardBy: () => Promise.reject(new Error('+33123456789 is locked')) };
    const { order, lines, text } = await planned({ policy: optOut, request: french, earlier });
    if (typeof order === 'string') throw new Error(order);
    expect(said(order.script)).toEqual(['fr notice-training', 'fr keep-training', 'fr optOut']);
    expect(lines).toMatchObject([{ level: 'warn', msg: 'earlier notices not read' }]);
    expect(text()).not.toContain('123456');
  });

  test('needs the shorter sentence in every language', () => {
    const tree = { ...configTree(), notice: { shorterWithinDays: 1 }, privacy: { hashKey: 'k'.repeat(32) } };
    expect(() => makePolicy(parseConfig(tree), aLibrary())).toThrow(
      /^notice\.shorterWithinDays: there is no again sentence in fr, nl, de, en$/,
    );
  });
});
