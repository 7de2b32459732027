import { answerInTime } from '../../ari/answerInTime.ts';
import { endpointOfChannel } from '../../ari/events.ts';
import type { AriQueries } from '../../ari/port.ts';
import { consentFor, sampledPurposes, type ConsentMode } from '../../config/consent.ts';
import type { LineConfig } from '../../config/purposeSchema.ts';
import { consentKinds, turnedAwaySounds, type Policy } from '../../policy/policy.ts';
import { earlierNotice, shortenedModes, type EarlierNotice } from '../../policy/earlierNotice.ts';
import { shortened, spokenIn } from '../../policy/spokenIn.ts';
import type { Prompt, SingleKind } from '../../prompts/library.ts';
import { asPreavisError, type ErrorCode } from '../../core/errors.ts';
import type { CallId, ChannelId, IdMaker } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { CallRequest, LanguageDecision, Menu, Order, Script } from '../decide/order.ts';
import { callerCountryOf } from './numberParsing.ts';
import type { ConsentPlan, Refusal } from '../decide/answer.ts';
import { decideLanguage } from './language.ts';
import type { Sentence } from '../decide/sentence.ts';
import type { CallerKeeper } from './callerStore.ts';
import { dialledNumberOf, dialledVariable, type DialledKeeper } from './dialledNumber.ts';
import type { EarlierNotices } from './earlierNotices.ts';
import type { LanguagePreferences } from './preferences.ts';

/**
 * Makes the order of a call: in which language it is announced, what is asked of the caller, whether it is recorded. All
 * that comes from the caller ends here; the order holds none of it.
 */
export type Arrival = {
  /** For the log. */
  call: CallId;
  request: CallRequest;
  /** Whose INVITE has come to Asterisk; undefined for who was called. */
  channelId: ChannelId | undefined;
  /** Asterisk's CHANNEL(language); empty for who was called, whose channel has that of who dialled. */
  channelLanguage: string;
  /** Of an outgoing call the number that was dialled. Untrusted and personal. */
  callerNumber: string;
  /** The name of the endpoint that the call came by; undefined where there is none, as for a Local/ channel. */
  endpoint?: string | undefined;
  /** The number of the company that was dialled, as the dialplan says it. Untrusted. */
  did?: string | undefined;
};

/**
 * Why a call cannot be announced. no_language: there is no notice for its purposes in any language that the line could use.
 * prompts_missing: there is one, but not the sentences that ask for consent. The start checks that for the purposes of each
 * line, not for others that a dialplan names.
 */
export type PlanFault = 'no_language' | 'prompts_missing';

export type Planner = {
  plan(arrival: Arrival): Promise<Order | PlanFault>;
  /** What somebody is told who comes into a call of this request, by what is known of them. */
  planNewcomer(channel: ChannelId, request: CallRequest): Promise<Script | PlanFault>;
};

export type PlannerPorts = {
  policy: Policy;
  preferences: LanguagePreferences;
  callers: CallerKeeper;
  /** undefined where it is not kept which number was dialled (privacy.dialledDays). */
  dialled: DialledKeeper | undefined;
  earlier: EarlierNotices;
  variable: AriQueries['variable'];
  ids: IdMaker;
  /** From 0 to 1, for recordPercent. */
  random: () => number;
  log: Logger;
};

/** As chan_pjsip gives a header of the INVITE; other channel types have none. */
const acceptLanguage = 'PJSIP_HEADER(read,Accept-Language)';
/** How long Asterisk may take to tell it, ms: well within what planning may take. */
const headerLimitMs = 1_500;
/** How long the catalogue may take, ms. */
const earlierLimitMs = 500;

/** A bridge of ours has one recorder of all who are in it. */
function soundOf({ call, request }: Arrival, { sound }: LineConfig, log: Logger): Pick<Order, 'sound'> {
  if (sound === 'mono') return {};
  if (request.way === 'follow') return { sound };
  log.warn({ call, line: request.line }, 'recorded in mono: Préavis dials on this stereo line');

  return {};
}

/** The purpose that calls of this line have once somebody marks an agreement. */
function agreementOf({ codes }: LineConfig, { purposes }: Policy): Order['agreement'] {
  const purpose = codes?.agreement?.purpose;
  const keepDays = purpose === undefined ? undefined : purposes.get(purpose)?.keepDays;

  return purpose === undefined || keepDays === undefined ? undefined : { purpose, keepDays };
}

/** A call for that purpose alone has it from the beginning: without it, nothing would be recorded for anything. */
function fromTheBeginning<P extends { id: string }>(named: readonly P[], agreement: Order['agreement']): readonly P[] {
  return named.length > 1 ? named.filter(({ id }) => id !== agreement?.purpose) : named;
}

// eslint-disable-next-line max-lines-per-function -- Its steps, each short, share the ports that are unpacked once.
export function makePlanner(ports: PlannerPorts): Planner {
  const { policy, preferences, callers, dialled, earlier, variable, ids, random, log } = ports;
  const say = (prompts: readonly Prompt[]): Sentence[] =>
    prompts.map((prompt) => ({ prompt, playbackId: ids.playback() }));

  const single = (kind: SingleKind, languages: readonly string[]): Prompt[] =>
    languages.flatMap((language) => policy.sentence(kind, language) ?? []);

  /** undefined where a sentence that it needs is not there, or does not say which key: nobody could answer. */
  const consentPlan = (mode: ConsentMode, languages: readonly string[]): ConsentPlan | undefined => {
    if (mode === 'announce') return { mode };
    const missing = consentKinds(mode).some((kind) => single(kind, languages).length < languages.length);
    if (missing) return undefined;
    const questions = single(mode, languages);
    const saying = (kind: SingleKind): Sentence[] => say(single(kind, languages));
    // One key cannot be a yes in one language and a no in the other.
    if (new Set(questions.map((question) => JSON.stringify(question.keys))).size > 1) return undefined;
    const { refuse, accept } = questions[0]?.keys ?? {};
    const { featureCode, waitMs } = policy.consent;
    const refusal: Refusal = { acknowledgement: saying('optOutAck'), erasure: saying('erasedAck'), featureCode };
    if (refuse === undefined) return undefined;
    if (mode === 'optOut') return { mode, refuse, refusal };
    if (accept === undefined) return undefined;

    return {
      mode,
      refuse,
      accept,
      refusal,
      acceptance: saying('optInAck'),
      silence: saying('noAnswer'),
      waitMs,
    };
  };

  const makeScript = (
    purposes: readonly string[],
    language: LanguageDecision,
    mode: ConsentMode,
    hearer: 'caller' | 'newcomer' | 'callerAgain' = 'caller',
  ): Script | undefined => {
    const { languages } = language;
    // Who understands the first language has heard all of it, and may answer, before the second begins.
    const said = hearer === 'callerAgain' ? shortened(policy) : policy;
    const to = hearer === 'newcomer' ? hearer : 'caller';
    const sentences = languages.flatMap((tag) => spokenIn(said, purposes, tag, mode, to));
    const consent = consentPlan(mode, languages);

    return consent === undefined ? undefined : { language, sentences: say(sentences), consent };
  };

  const makeMenu = (purposes: readonly string[], mode: ConsentMode): Menu | undefined => {
    const offers = policy.languages.flatMap((language) => {
      const prompt = policy.sentence('chooseLanguage', language);
      const digit = prompt?.keys?.choose;
      if (prompt === undefined || digit === undefined || policy.notice(purposes, language) === undefined) return [];
      const script = makeScript(purposes, { languages: [language], reason: 'choice', unavailable: [] }, mode);

      return script === undefined ? [] : [{ prompt, digit, script }];
    });
    if (offers.length < 2) return undefined;

    return {
      prompts: say(offers.map(({ prompt }) => prompt)),
      options: offers.map(({ digit, script }) => ({ digit, script })),
      waitMs: policy.choiceWaitMs,
    };
  };

  /** Whatever keeps it from being read, it says nothing then. */
  const readOf = async (
    { call, channelId }: Arrival,
    name: string,
    tell: (failed: { call: CallId; code: ErrorCode }) => void,
  ): Promise<string> => {
    if (channelId === undefined) return '';
    try {
      return await answerInTime(headerLimitMs, variable(channelId, name));
    } catch (thrown) {
      const { code } = asPreavisError(thrown);
      // Asterisk answers so (HTTP 500) where there is no such header, or no SIP.
      if (code !== 'ari_request_failed') tell({ call, code });

      return '';
    }
  };

  /** Without it, weaker evidence may do. */
  const headerOf = (arrival: Arrival): Promise<string> =>
    readOf(arrival, acceptLanguage, (failed) => {
      log.warn(failed, 'Accept-Language header not read');
    });

  const purposesOf = ({ purposes }: CallRequest) => purposes.flatMap((id) => policy.purposes.get(id) ?? []);

  const consentOf = (named: ReturnType<typeof purposesOf>, number: string): ReturnType<typeof consentFor> => {
    const countryMatters = named.some(({ optInForCountries }) => optInForCountries.length > 0);

    return consentFor(named, countryMatters ? callerCountryOf(number, policy.defaultCountry) : undefined);
  };

  /** The notice of an earlier call that counts for this one: whatever keeps it from being found, the whole one is said. */
  const earlierOf = async (
    { call, request, callerNumber }: Arrival,
    line: LineConfig,
    languages: readonly string[],
    mode: ConsentMode,
  ): Promise<EarlierNotice | undefined> => {
    if (!policy.shortens || !shortenedModes(line, purposesOf(request)).includes(mode)) return undefined;
    const notice = languages.flatMap((tag) => policy.notice(request.purposes, tag) ?? []);
    try {
      return earlierNotice(notice, await answerInTime(earlierLimitMs, earlier.heardBy(callerNumber, line.controller)));
    } catch (thrown) {
      log.warn({ call, code: asPreavisError(thrown).code }, 'earlier notices not read');

      return undefined;
    }
  };

  /** Nothing waits for it, and a call whose caller could not be kept goes on as any other. */
  const keepCaller = ({ call, callerNumber }: Arrival): void => {
    callers.keep(call, callerNumber).catch((thrown: unknown) => {
      const error = asPreavisError(thrown);
      log.warn({ call, code: error.code, err: error }, 'caller not stored');
    });
  };

  const isOfHouse = ({ request }: Arrival, endpoint: string): boolean => policy.staffOf(request.line).has(endpoint);

  const readForDialled = (of: Arrival, name: string): Promise<string> =>
    readOf(of, name, (failed) => {
      log.warn(failed, 'dialled number not read');
    });

  /**
   * Who has placed the call: behind a Local/ channel the first channel of all that belong together. undefined: nobody says, as of a call
   * that a program has begun by a Local/ channel.
   */
  const placedBy = async (arrival: Arrival): Promise<{ first: Arrival; endpoint: string } | undefined> => {
    const { channelId, endpoint } = arrival;
    if (endpoint !== undefined) return { first: arrival, endpoint };
    const linked = await readForDialled(arrival, 'CHANNEL(linkedid)');
    if (linked === '' || linked === channelId) return undefined;
    const first = { ...arrival, channelId: linked as ChannelId };
    const found = endpointOfChannel(await readForDialled(first, 'CHANNEL(name)'));

    return found === undefined ? undefined : { first, endpoint: found };
  };

  /** Empty where it may be somebody of the house who dials, whatever the dialplan says: then it may be the number of anybody. */
  const dialledIn = async (arrival: Arrival): Promise<string> => {
    const placed = await placedBy(arrival);
    if (placed === undefined || isOfHouse(arrival, placed.endpoint)) return '';
    if (arrival.did !== undefined) return arrival.did;
    const own = await readForDialled(arrival, dialledVariable);

    // A Local/ channel has no number: that of the first channel is it.
    return own !== '' || placed.first === arrival ? own : readForDialled(placed.first, dialledVariable);
  };

  /**
   * The same of the number that was dialled. What somebody of the house dials may be the number of anybody; and of an outgoing call it is kept
   * as that of the caller is.
   */
  const keepDialled = async (arrival: Arrival): Promise<void> => {
    const { call, channelId } = arrival;
    if (dialled === undefined || channelId === undefined) return;
    try {
      const number = dialledNumberOf(await dialledIn(arrival), policy.defaultCountry);
      if (number !== undefined) await dialled.keep(call, number);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      log.warn({ call, code: error.code, err: error }, 'dialled number not stored');
    }
  };

  return {
    plan: async (arrival) => {
      keepCaller(arrival);
      void keepDialled(arrival);
      const { request, channelLanguage, callerNumber } = arrival;
      const line = policy.lines.get(request.line);
      if (line === undefined) return 'no_language';
      const { purposes } = request;
      const preference = await preferences.find(callerNumber);
      const evidence = { argument: request.language, preference, line, channelLanguage, callerNumber, purposes };
      const language = await decideLanguage(evidence, policy, () => headerOf(arrival));
      if (language === undefined) return 'no_language';
      const named = purposesOf(request);
      const { mode, ...asked } = consentOf(named, callerNumber);
      const asks = line.askLanguage && request.language === undefined && preference === undefined;
      // Who is offered the languages may choose another one than that of before.
      const counts = asks ? undefined : await earlierOf(arrival, line, language.languages, mode);
      const script = makeScript(purposes, language, mode, counts === undefined ? 'caller' : 'callerAgain');
      if (script === undefined) return 'prompts_missing';
      const turnedAway = request.mustRecord === true ? turnedAwaySounds(policy, language.languages) : undefined;
      const agreement = agreementOf(line, policy);
      const recorded = sampledPurposes(fromTheBeginning(named, agreement), random() * 100);

      return {
        request: { ...request, purposes: recorded.length > 0 ? recorded.map(({ id }) => id) : purposes },
        menu: asks ? makeMenu(purposes, mode) : undefined,
        script,
        asked,
        ...(counts === undefined ? {} : { earlier: counts }),
        sampled: recorded.length > 0,
        ...(turnedAway === undefined ? {} : { turnedAway }),
        keepDays: Math.max(...recorded.map(({ keepDays }) => keepDays), 0),
        maximumSeconds: policy.maximumRecordingSeconds,
        ...(agreement === undefined ? {} : { agreement }),
        // What the law wants recorded is recorded, whatever the line says: the dialplan may have given the purpose.
        ...(line.records === 'onRequest' && !named.some(({ kind }) => kind === 'obligation')
          ? { records: line.records }
          : {}),
        newcomers: line.newcomers,
        bridge: ids.bridge(),
        destination: ids.channel(),
        recording: ids.recording(),
        ...soundOf(arrival, line, log),
      };
    },
    planNewcomer: async (channel, request) => {
      const line = policy.lines.get(request.line);
      if (line === undefined) return 'no_language';
      const [channelLanguage, callerNumber] = await Promise.all([
        variable(channel, 'CHANNEL(language)'),
        variable(channel, 'CALLERID(num)'),
      ]);
      const { purposes } = request;
      const evidence = { argument: undefined, preference: undefined, line, channelLanguage, callerNumber, purposes };
      const language = await decideLanguage(evidence, policy, () => Promise.resolve(''));
      if (language === undefined) return 'no_language';

      const { mode } = consentOf(purposesOf(request), callerNumber);

      return makeScript(purposes, language, mode, 'newcomer') ?? 'prompts_missing';
    },
  };
}
