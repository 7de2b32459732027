import { mixFault } from '../../config/consent.ts';
import { noticeFaults } from '../../policy/noticeRules.ts';
import { turnsAway, type Line, type Policy } from '../../policy/policy.ts';
import { endpointOfChannel } from '../../ari/events.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { BridgeRequest, CallRequest, FollowRequest } from '../decide/order.ts';

/** Who was called, has answered, and is to be told, while the one who dialled waits. */
export type CalledParty = {
  channel: ChannelId;
  dialler?: ChannelId;
  /** Of both, the endpoints of Asterisk, where their channels have any. */
  endpoint?: string;
  diallerEndpoint?: string;
  /** What Dial() was given, such as `PJSIP/112@trunk`. Personal. */
  dialString?: string;
};

export type Parsed = {
  request: CallRequest;
  /** What the dialplan of a caller who is told and followed is going to dial, or has dialled, where it says so. Personal. */
  dialled?: string;
  /** The number of the company that the caller dialled, where the dialplan knows it better than the channel. Untrusted. */
  did?: string;
  /** Of an outgoing call. */
  called?: CalledParty;
};

type Problem = { argument: string; problem: string };

export type ArgumentsResult = ({ ok: true } & Parsed) | ArgumentsFault;

type ArgumentsFault = {
  ok: false;
  argument: string;
  problem: string;
  /** What is known of a call that must be recorded, all the same. */
  obliged?: FollowRequest;
};

/** What else than a call the dialplan may ask for. */
export type Task = 'recordPrompt';

/** `task=recordPrompt` and no other argument; undefined for a call. */
export function taskOf(args: readonly string[]): Task | undefined {
  const given = args.map((argument) => argument.trim()).filter((argument) => argument !== '');

  return given.length === 1 && given[0] === 'task=recordPrompt' ? 'recordPrompt' : undefined;
}

const knownArguments = [
  'way',
  'to',
  'line',
  'purpose',
  'language',
  'timeout',
  'left',
  'must',
  'did',
  'called',
  'calledName',
  'by',
  'byName',
  'dialString',
] as const;
type KnownArgument = (typeof knownArguments)[number];
const isKnown = (name: string): name is KnownArgument => knownArguments.some((known) => known === name);

/** One endpoint, as Dial() takes it; several (`&`) and Dial()'s own options (`,`) are another matter. */
const dialString = /^[A-Za-z0-9]{2,20}\/[^\s&,\p{Cc}]{1,200}$/u;
/** A number, or an extension that is none. */
const calledNumber = /^[0-9A-Za-z*#+._-]{1,80}$/;
const misspeltName = /^[a-z]{1,20}$/;
/** As Asterisk makes them: `1795945386.1`, with the name of the system before it where it has one. */
const channelId = /^[^\s,&/]{1,150}$/;
const languageTag = /^[a-z]{2,3}([_-][A-Za-z]{2})?$/;

/** Why purposes that may stand together in the dialplan alone, unseen when Préavis started, cannot be those of a call. */
function mixProblem(ids: readonly string[], { records }: Line, policy: Policy): string | undefined {
  const purposes = ids.flatMap((id) => policy.purposes.get(id) ?? []);
  if (mixFault(purposes) !== undefined) {
    return 'joins a purpose that the law demands with one that the caller may refuse';
  }
  // What the law wants recorded is, on any line.
  const recorded = purposes.some(({ kind }) => kind === 'obligation') ? 'always' : records;
  const notices = policy.languages.map((language) => policy.notice(ids, language) ?? []);
  const [fault] = notices.flatMap((notice) => (notice.length === 0 ? [] : noticeFaults(notice, purposes, recorded)));

  return fault === undefined ? undefined : `joins purposes whose notice is not true: ${fault}`;
}

type Given = ReadonlyMap<KnownArgument, string>;
type Destination = Pick<BridgeRequest, 'way' | 'to' | 'timeoutSeconds'> | Pick<FollowRequest, 'way'>;

const isProblem = (found: object | undefined): found is Problem => found !== undefined && 'problem' in found;

/** Who dials, and whom; or what is wrong with it. */
function destinationOf(given: Given, policy: Policy): Destination | Problem {
  const way = given.get('way') ?? 'bridge';
  if (way === 'follow' || way === 'called') {
    const dialled = given.get('to');
    if (dialled !== undefined && !calledNumber.test(dialled)) {
      return { argument: 'to', problem: `is a number after way=${way}; the dial string is for your own Dial()` };
    }
    return given.has('timeout')
      ? { argument: 'timeout', problem: `is for the dialplan to say in its own Dial(), after way=${way}` }
      : { way: 'follow' };
  }
  if (way !== 'bridge') return { argument: 'way', problem: 'is neither bridge nor follow nor called' };
  const to = given.get('to');
  if (to === undefined) return { argument: 'to', problem: 'is missing' };
  if (to.includes('&')) {
    return { argument: 'to', problem: 'names several endpoints; use one Local/ channel that dials them' };
  }
  if (!dialString.test(to)) return { argument: 'to', problem: 'is not a dial string such as PJSIP/100' };
  const timeout = given.get('timeout') ?? String(policy.defaultTimeoutSeconds);
  if (!/^\d{1,3}$/.test(timeout) || Number(timeout) < 1 || Number(timeout) > 600) {
    return { argument: 'timeout', problem: 'is not a number of seconds from 1 to 600' };
  }

  return { way, to, timeoutSeconds: Number(timeout) };
}

/** Who is to be told of an outgoing call; undefined of an incoming one. */
function calledOf(given: Given): CalledParty | Problem | undefined {
  const [channel, dialler] = [given.get('called'), given.get('by')];
  const only = (['called', 'calledName', 'by', 'byName', 'dialString'] as const).find((each) => given.has(each));
  if (given.get('way') !== 'called') {
    return only === undefined ? undefined : { argument: only, problem: 'goes with way=called alone' };
  }
  if (channel === undefined) return { argument: 'called', problem: 'is missing' };
  if (!channelId.test(channel)) return { argument: 'called', problem: 'is not the id of a channel' };
  if (dialler !== undefined && !channelId.test(dialler))
    return { argument: 'by', problem: 'is not the id of a channel' };
  const endpoint = endpointOfChannel(given.get('calledName') ?? '');
  const diallerEndpoint = endpointOfChannel(given.get('byName') ?? '');
  const dialled = given.get('dialString') ?? '';

  return {
    channel: channel as ChannelId,
    ...(dialler === undefined ? {} : { dialler: dialler as ChannelId }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(diallerEndpoint === undefined ? {} : { diallerEndpoint }),
    // Dial() has taken it, so whatever it is, it is no reason to refuse the call.
    ...(dialString.test(dialled) ? { dialString: dialled } : {}),
  };
}

/** Whether a caller who cannot be recorded for these purposes is turned away; what is wrong with `must=` as a text. */
function mustRecord(must: string | undefined, ids: readonly string[], policy: Policy): boolean | string {
  const purposes = ids.flatMap((id) => policy.purposes.get(id) ?? []);
  if (must === undefined) return turnsAway(purposes);
  if (must !== 'record') return 'is not must=record';

  return purposes.some(({ kind }) => kind === 'obligation') || 'is for a purpose of kind obligation only';
}

/** Of a line whose callers are turned away where they cannot be recorded. Nothing of it is carried out. */
function obligedBy(args: readonly string[], policy: Policy): FollowRequest | undefined {
  const names = args.flatMap((each) => /^\s*line\s*=\s*(\S*)\s*$/.exec(each)?.[1] ?? []);
  const [line = 'default'] = names;
  const purposes = policy.lines.get(line)?.purposes ?? [];
  const isObliged = turnsAway(purposes.flatMap((id) => policy.purposes.get(id) ?? []));

  return isObliged
    ? { way: 'follow', line, purposes: [...purposes], language: undefined, mustRecord: true }
    : undefined;
}

/** How the include file passes arguments through StasisBroadcast(), which splits them at colons: in one, encoded as in an address. */
const encoded = 'encoded=';

/** The arguments of Stasis(), also as they come by way of StasisBroadcast(). What cannot be decoded stays, and is refused. */
export function decodedArguments(args: readonly string[]): readonly string[] {
  const [only = '', ...more] = args;
  if (more.length > 0 || !only.startsWith(encoded)) return args;
  try {
    return decodeURIComponent(only.slice(encoded.length)).split(',');
  } catch {
    return args;
  }
}

/** As readArguments, with what of a call whose arguments cannot be used holds all the same. */
export function parseArguments(args: readonly string[], policy: Policy): ArgumentsResult {
  const result = readArguments(args, policy);
  const obliged = result.ok ? undefined : obligedBy(args, policy);

  return result.ok || obliged === undefined ? result : { ...result, obliged };
}

/**
 * Reads `name=value` arguments, e.g. `to=PJSIP/100`, `purpose=training+agreement`. Empty ones are left out by a
 * dialplan with unset variables and mean nothing. The problem names the argument, never its value.
 */
function readArguments(args: readonly string[], policy: Policy): ArgumentsResult {
  const given = new Map<KnownArgument, string>();
  for (const [index, argument] of args.entries()) {
    const position = `number ${index + 1}`;
    const text = argument.trim();
    if (text === '') continue;
    const equals = text.indexOf('=');
    const name = text.slice(0, Math.max(0, equals)).trim();
    if (equals < 0) return { ok: false, argument: position, problem: 'is not of the form name=value' };
    if (!isKnown(name)) {
      // What does not look like a name may be a caller's: it is not repeated.
      const argument = misspeltName.test(name) ? name : position;
      return { ok: false, argument, problem: 'is not an argument of Préavis' };
    }
    if (given.has(name)) return { ok: false, argument: name, problem: 'is given twice' };
    const value = text.slice(equals + 1).trim();
    if (value !== '') given.set(name, value);
  }

  const destination = destinationOf(given, policy);
  if (isProblem(destination)) return { ok: false, ...destination };
  const called = calledOf(given);
  if (isProblem(called)) return { ok: false, ...called };

  const lineName = given.get('line') ?? 'default';
  const line = policy.lines.get(lineName);
  if (line === undefined) return { ok: false, argument: 'line', problem: 'is not a line of the configuration' };

  const purposes = given.get('purpose')?.split('+') ?? line.purposes;
  if (new Set(purposes).size !== purposes.length || purposes.some((purpose) => !policy.purposes.has(purpose))) {
    return { ok: false, argument: 'purpose', problem: 'is not a purpose of the configuration, or several joined by +' };
  }
  const mix = mixProblem(purposes, line, policy);
  if (mix !== undefined) return { ok: false, argument: 'purpose', problem: mix };

  const tag = given.get('language');
  if (tag !== undefined && !languageTag.test(tag)) {
    return { ok: false, argument: 'language', problem: 'is not a language tag such as fr' };
  }

  const left = given.get('left');
  if (left !== undefined && !/^\d{1,10}(\.\d{1,6})?$/.test(left)) {
    return { ok: false, argument: 'left', problem: 'is not a number of seconds' };
  }

  const must = mustRecord(given.get('must'), purposes, policy);
  if (typeof must === 'string') return { ok: false, argument: 'must', problem: must };
  const [to, did] = [given.get('to'), given.get('did')];

  return {
    ok: true,
    ...(destination.way === 'follow' && to !== undefined ? { dialled: to } : {}),
    // What the trunk has sent is no reason to refuse the call, whatever it is.
    ...(did === undefined || called !== undefined ? {} : { did }),
    ...(called === undefined ? {} : { called }),
    request: {
      ...destination,
      line: lineName,
      purposes: [...purposes],
      language: tag?.split(/[_-]/)[0],
      ...(left === undefined ? {} : { leftSeconds: Number(left) }),
      ...(must ? { mustRecord: true } : {}),
    },
  };
}
