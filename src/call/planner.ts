import type { AriQueries } from '../ari/port.ts';
import type { Policy } from '../config/policy.ts';
import type { Prompt, PromptKind } from '../config/prompts.ts';
import type { ChannelId, IdMaker } from '../core/ids.ts';
import type { CallRequest } from './arguments.ts';
import type { ConsentMode, ConsentPlan, Refusal } from './consent.ts';
import { decideLanguage, type LanguageDecision } from './language.ts';
import type { Sentence } from './notice.ts';
import type { LanguagePreferences } from './ports.ts';
import type { Menu, Order, Script } from './state.ts';

/**
 * Makes the order of a call: in which language it is announced, what is asked of the caller, whether it is recorded. All
 * that comes from the caller ends here; the order holds none of it.
 */
export type Arrival = {
  request: CallRequest;
  channelId: ChannelId;
  /** Asterisk's CHANNEL(language). */
  channelLanguage: string;
  /** Untrusted and personal. */
  callerNumber: string;
};

export type Planner = {
  /** undefined when there is no notice for these purposes in any language that the line could use. */
  plan(arrival: Arrival): Promise<Order | undefined>;
};

export type PlannerPorts = {
  policy: Policy;
  preferences: LanguagePreferences;
  variable: AriQueries['variable'];
  ids: IdMaker;
  /** From 0 to 1, for recordPercent. */
  random: () => number;
};

/** As chan_pjsip gives a header of the INVITE; other channel types have none. */
const acceptLanguage = 'PJSIP_HEADER(read,Accept-Language)';

export function makePlanner({ policy, preferences, variable, ids, random }: PlannerPorts): Planner {
  const say = (prompts: readonly Prompt[]): Sentence[] =>
    prompts.map((prompt) => ({ prompt, playbackId: ids.playback() }));

  const single = (kind: PromptKind, languages: readonly string[]): Prompt[] =>
    languages.flatMap((language) => policy.sentence(kind, language) ?? []);

  const consentPlan = (mode: ConsentMode, languages: readonly string[]): ConsentPlan => {
    if (mode === 'announce') return { mode };
    const refusal: Refusal = {
      acknowledgement: say(single('optOutAck', languages)),
      featureCode: policy.consent.featureCode,
    };
    const { refuse, accept } = policy.keys(mode);
    if (mode === 'optOut') return { mode, refuse, refusal };

    return { mode, refuse, accept, refusal, waitMs: policy.consent.waitMs };
  };

  const makeScript = (purposes: readonly string[], language: LanguageDecision, mode: ConsentMode): Script => {
    const { languages } = language;
    const notice = languages.flatMap((tag) => policy.notice(purposes, tag) ?? []);
    const question = mode === 'announce' ? [] : single(mode, languages);

    return { language, sentences: say([...notice, ...question]), consent: consentPlan(mode, languages) };
  };

  const makeMenu = (purposes: readonly string[], mode: ConsentMode): Menu | undefined => {
    const offers = policy.languages.flatMap((language) => {
      const prompt = policy.sentence('chooseLanguage', language);
      const digit = prompt?.keys?.['choose'];
      if (prompt === undefined || digit === undefined || policy.notice(purposes, language) === undefined) return [];
      return [{ prompt, digit, language }];
    });
    if (offers.length < 2) return undefined;

    return {
      prompts: say(offers.map(({ prompt }) => prompt)),
      options: offers.map(({ digit, language }) => ({
        digit,
        script: makeScript(purposes, { languages: [language], reason: 'choice', unavailable: [] }, mode),
      })),
      waitMs: policy.choiceWaitMs,
    };
  };

  return {
    plan: async ({ request, channelId, channelLanguage, callerNumber }) => {
      const line = policy.lines.get(request.line);
      if (line === undefined) return undefined;
      const { purposes } = request;
      const preference = await preferences.find(callerNumber);
      const evidence = { argument: request.language, preference, line, channelLanguage, callerNumber, purposes };
      const language = await decideLanguage(evidence, policy, () => variable(channelId, acceptLanguage));
      if (language === undefined) return undefined;
      const mode = policy.consentFor(purposes, callerNumber);
      const asks = line.askLanguage && request.language === undefined && preference === undefined;
      const draw = random() * 100;
      const recorded = purposes.filter((id) => draw < (policy.purposes.get(id)?.recordPercent ?? 100));

      return {
        request: { ...request, purposes: recorded.length > 0 ? recorded : purposes },
        menu: asks ? makeMenu(purposes, mode) : undefined,
        script: makeScript(purposes, language, mode),
        sampled: recorded.length > 0,
        keepDays: Math.max(...recorded.map((id) => policy.purposes.get(id)?.keepDays ?? 0), 0),
        maximumSeconds: policy.maximumRecordingSeconds,
        bridge: ids.bridge(),
        destination: ids.channel(),
        recording: ids.recording(),
      };
    },
  };
}

/** Every sentence that may be played in this call. */
export function sentencesOf({ menu, script }: Pick<Order, 'menu' | 'script'>): Sentence[] {
  const scripts = [script, ...(menu?.options.map((option) => option.script) ?? [])];

  return [
    ...(menu?.prompts ?? []),
    ...scripts.flatMap(({ sentences, consent }) => [
      ...sentences,
      ...(consent.mode === 'announce' ? [] : consent.refusal.acknowledgement),
    ]),
  ];
}
