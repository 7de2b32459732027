/** SIPp scenarios as XML text. What happens is written to SIPp's log, one line an event: `EVENT MILLISECONDS`. */
import { digitPayload } from './rtpReceiver.ts';

export type AgentBehaviour = 'answer' | 'busy' | 'noAnswer' | 'congestion' | 'forward';

export type AgentScenario = {
  readonly behaviour: AgentBehaviour;
  readonly ringMs: number;
  readonly hangUpAfterMs?: number | undefined;
  readonly tonePath?: string | undefined;
  /** Played before the answer, as early media. */
  readonly earlyTonePath?: string | undefined;
  readonly receiverPort?: number | undefined;
  /** Where `forward` sends callers: the user part of its Contact, for Asterisk an extension. */
  readonly forwardTo?: string | undefined;
  /** As of a caller: SIPp sends the sound itself. */
  readonly streams?: boolean | undefined;
  /** It can show a picture, and sends none. */
  readonly video?: boolean | undefined;
  readonly codec?: Codec | undefined;
  /** As of a caller. */
  readonly srtpKey?: string | undefined;
};

export type CallerScenario = {
  readonly to: string;
  readonly fromNumber: string;
  readonly fromName?: string | undefined;
  readonly hangUpAfterMs?: number | undefined;
  readonly tonePath?: string | undefined;
  readonly receiverPort?: number | undefined;
  readonly headers: readonly string[];
  readonly offers?: MediaOffer | undefined;
  readonly codec?: Codec | undefined;
  /** The key of its sound, as in SDP; without one it is not encrypted. */
  readonly srtpKey?: string | undefined;
  /** It describes its sound with the ACK, and not with the INVITE. */
  readonly isLateOffer?: boolean | undefined;
  /** It can show a picture, and sends none. */
  readonly video?: boolean | undefined;
  /** SIPp sends the sound itself, from numbers that are the same for each call: for many calls at once. */
  readonly streams?: boolean | undefined;
  /** Behind a proxy that stays in the way: its requests in the call go by the Record-Route of the answer, to the Contact there. */
  readonly isRouted?: boolean | undefined;
};

/**
 * What a caller offers from the first INVITE on. All but sendrecv are a caller who holds: recvonly hears us all the same. `nowhere`
 * is the hold of old telephones, c=0.0.0.0 (RFC 2543).
 */
export type MediaOffer = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' | 'nowhere';

/** What a caller speaks; default: A-law. Their sound is in a file of that codec; of Opus there is none. */
export type Codec = 'g722' | 'ulaw' | 'opus';

/** The request that makes a caller or an agent hang up; sent by us with the call's Call-ID, never by Asterisk. */
export const hangUpRequest = 'REFER';

/** CSeq of the BYE: room for the requests of dialog.ts before it. */
const lastSequence = 100_000;

const finalCodes = [400, 403, 404, 408, 410, 480, 484, 486, 487, 488, 500, 501, 502, 503, 504, 600, 603];

const scenario = (name: string, body: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="${name}">\n${body}\n</scenario>\n`;

const message = (head: readonly string[], sdp: readonly string[] = []) =>
  sdp.length === 0
    ? `<![CDATA[\n${[...head, 'Content-Length: 0'].join('\n')}\n\n]]>`
    : `<![CDATA[\n${[...head, 'Content-Type: application/sdp', 'Content-Length: [len]'].join('\n')}\n\n${sdp.join('\n')}\n]]>`;

/** A line of the log that holds what an agent was told about its caller. */
export const callerLine = 'CALLER ';
/** A line of the log that holds whom Asterisk says the other side to be: its P-Asserted-Identity. */
export const partyLine = 'PARTY ';
/** A line of the log with what a request inside the call must carry, see dialog.ts. */
export const dialogLine = 'DIALOG ';
/** A line of the log with the key of Asterisk's sound. */
export const keyLine = 'KEY ';

const note = (event: string) =>
  `<gettimeofday assign_to="seconds,micros"/><log message="${event} [$seconds] [$micros]"/>`;

/** Lines of the log for voice.mjs: who begins to send this sound to which port, who goes on to another port, and who ends. */
export const voiceWords = ['SPEAK|', 'AIM|', 'HUSH|'] as const;

const play = (path: string | undefined, codec?: Codec, srtpKey = '') =>
  path === undefined
    ? ''
    : `<log message="SPEAK|[call_id]|[$port]|${escape(path)}|${mediaOf(codec).payload}|${srtpKey}"/>`;

/** RFC 3551. */
export const mediaOf = (codec: Codec | undefined): { payload: number; name: string } => {
  switch (codec) {
    case undefined:
      return { payload: 8, name: 'PCMA/8000' };
    case 'g722':
      return { payload: 9, name: 'G722/8000' };
    case 'ulaw':
      return { payload: 0, name: 'PCMU/8000' };
    case 'opus':
      return { payload: 107, name: 'opus/48000/2' };
  }
};

const stream = (path: string | undefined) =>
  path === undefined ? '' : `<exec rtp_stream="${escape(path)},-1,8,PCMA/8000"/>`;

const hush = '<log message="HUSH|[call_id]"/>';

const aim = '<log message="AIM|[call_id]|[$port]"/>';

const takePort = '<ereg regexp="m=audio ([0-9]+)" search_in="msg" assign_to="media,port"/>';

const takeKey = `<ereg regexp="inline:([A-Za-z0-9+/=]+)" search_in="msg" assign_to="crypto,inline"/><log message="${keyLine}[$inline]"/>`;

const takeParty = `<ereg regexp=".*" search_in="hdr" header="P-Asserted-Identity:" assign_to="asserted"/><log message="${partyLine}[$asserted]"/>`;

type Description = Pick<CallerScenario, 'receiverPort' | 'codec' | 'srtpKey' | 'video' | 'offers'>;

/** `receiverPort` undefined: SIPp's own port. Named or not, [rtpstream_audio_port] makes SIPp open its port, so it stands in a comment line. */
const sdp = ({ receiverPort, offers = 'sendrecv', codec, srtpKey, video = false }: Description) => [
  'v=0',
  'o=lab 1 1 IN IP4 127.0.0.1',
  's=-',
  `c=IN IP4 ${offers === 'nowhere' ? '0.0.0.0' : '127.0.0.1'}`,
  't=0 0',
  `m=audio ${receiverPort ?? '[rtpstream_audio_port]'} RTP/${srtpKey === undefined ? 'AVP' : 'SAVP'} ${mediaOf(codec).payload} ${digitPayload}`,
  ...(srtpKey === undefined ? [] : [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${srtpKey}`]),
  `a=rtpmap:${mediaOf(codec).payload} ${mediaOf(codec).name}`,
  `a=rtpmap:${digitPayload} telephone-event/8000`,
  `a=fmtp:${digitPayload} 0-16`,
  'a=ptime:20',
  `a=${offers === 'nowhere' ? 'sendrecv' : offers}`,
  ...(receiverPort === undefined ? [] : ['a=x-speaks-from:[rtpstream_audio_port]']),
  // Pictures would go to where nobody listens (RFC 863).
  ...(video ? ['m=video 9 RTP/AVP 99', 'a=rtpmap:99 H264/90000', 'a=sendrecv'] : []),
];

function escape(text: string): string {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** SIPp looks at the time limit of the first message that it waits for, so the optional one has it too. */
const timeLimit = (hangUpAfterMs: number | undefined): string =>
  hangUpAfterMs === undefined ? '' : ` timeout="${hangUpAfterMs}" ontimeout="hangUp"`;

/** Where a telephone waits in its call: Asterisk may describe the session anew, as for direct media. */
const whereItTalks = (timeout: string) => `<label id="talk"/>
<recv request="INVITE" optional="true" next="renegotiate"${timeout}><action>${takePort}${takeParty}${note('renegotiated')}</action></recv>`;

/** It agrees, and sends its sound where it is told to from then on. */
const renegotiation = (contact: string, description: readonly string[]) => `<label id="renegotiate"/>
<send retrans="500">${message(
  [
    'SIP/2.0 200 OK',
    '[last_Via:]',
    '[last_From:]',
    '[last_To:]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    `Contact: <${contact}>`,
    'Allow: INVITE, ACK, CANCEL, BYE',
  ],
  description,
)}</send>
<recv request="ACK" next="talk"><action>${aim}</action></recv>`;

/**
 * A telephone hangs up, and waits for the answer. A new description of the session may cross its BYE, which it refuses (RFC 3261, 15.1.1), and
 * the ACK of one that came before may follow it. SIPp sends nothing else while it repeats a message by itself, so the BYE is repeated here.
 */
const hangingUp = (bye: readonly string[]): string => `<label id="hangUp"/>
<send>${message(bye)}<action>${hush}${note('byeSent')}</action></send>
<label id="leaving"/>
<recv request="INVITE" optional="true" next="crossed" timeout="3000" ontimeout="again"/>
<recv request="ACK" optional="true" next="leaving" timeout="3000" ontimeout="again"/>
<recv response="200" next="end" timeout="3000" ontimeout="again"/>
<label id="crossed"/>
<send next="leaving">${message(['SIP/2.0 481 Call/Transaction Does Not Exist', '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]'])}</send>
<label id="again"/>
<send retrans="500">${message(bye)}</send>
<recv response="481" optional="true" next="end"/>
<recv response="200" next="end"/>`;

export function agentScenario(input: AgentScenario): string {
  const timeout = timeLimit(input.hangUpAfterMs);
  const crypto = input.srtpKey === undefined ? '' : ',crypto,inline';
  const ownContact = 'sip:agent@[local_ip]:[local_port]';
  const reply = (status: string, description: readonly string[] = [], contact = ownContact) =>
    message(
      [
        `SIP/2.0 ${status}`,
        '[last_Via:]',
        '[last_From:]',
        '[last_To:];tag=agent-[pid]-[call_number]',
        '[last_Call-ID:]',
        '[last_CSeq:]',
        `Contact: <${contact}>`,
        'Allow: INVITE, ACK, CANCEL, BYE',
      ],
      description,
    );
  const inDialog = (status: string, cseq = '[last_CSeq:]') =>
    message([`SIP/2.0 ${status}`, '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', cseq]);
  const invited = `<recv request="INVITE"><action>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp="sip:[^>;]*" search_in="hdr" header="Contact:" assign_to="contact"/>
${takePort}${input.srtpKey === undefined ? '' : takeKey}${note('invited')}<log message="${callerLine}[$from]"/>${takeParty}
<log message="${dialogLine}[call_id]|&lt;sip:agent@127.0.0.1&gt;;tag=agent-[pid]-[call_number]|[$from]|[$contact]|[local_port]"/></action></recv>`;
  const refuse = (status: string, contact = ownContact) => `${invited}
<send retrans="500">${reply(status, [], contact)}</send>
<recv request="ACK"/>
<Reference variables="from,contact,media,port,asserted${crypto}"/>`;
  const cancelled = `<label id="cancelled"/>
<send>${message(['SIP/2.0 200 OK', '[last_Via:]', '[last_From:]', '[last_To:];tag=agent-[pid]-[call_number]', '[last_Call-ID:]', '[last_CSeq:]'])}</send>
<send retrans="500">${message(['SIP/2.0 487 Request Terminated', '[last_Via:]', '[last_From:]', '[last_To:];tag=agent-[pid]-[call_number]', '[last_Call-ID:]', 'CSeq: [cseq] INVITE'])}</send>
<recv request="ACK"/>
<label id="end"/>
<Reference variables="from,contact,media,port,asserted${crypto}"/>`;
  const ringing =
    input.earlyTonePath === undefined
      ? `<send>${reply('180 Ringing')}</send>`
      : `<send>${reply('183 Session Progress', sdp(input))}</send><nop><action>${play(input.earlyTonePath)}</action></nop>`;
  switch (input.behaviour) {
    case 'busy':
      return scenario('agent', refuse('486 Busy Here'));
    case 'congestion':
      return scenario('agent', refuse('503 Service Unavailable'));
    case 'forward':
      return scenario('agent', refuse('302 Moved Temporarily', `sip:${input.forwardTo ?? ''}@[local_ip]`));
    case 'noAnswer':
      return scenario(
        'agent',
        `${invited}\n${ringing}\n<recv request="CANCEL"><action>${hush}${note('cancelled')}</action></recv>\n${cancelled}`,
      );
    case 'answer':
      return scenario(
        'agent',
        `${invited}
${input.ringMs > 0 ? `${ringing}\n<recv request="CANCEL" timeout="${input.ringMs}" ontimeout="answer" next="cancelled"><action>${hush}${note('cancelled')}</action></recv>` : ''}
<label id="answer"/>
<send retrans="500">${reply('200 OK', sdp(input))}</send>
<recv request="ACK"><action>${input.streams === true ? stream(input.tonePath) : play(input.tonePath, input.codec, input.srtpKey)}${note('answered')}</action></recv>
${whereItTalks(timeout)}
<recv request="${hangUpRequest}" optional="true" next="hangUp"${timeout}/>
<recv request="BYE"${timeout}><action>${hush}${note('byeReceived')}</action></recv>
<send next="end">${inDialog('200 OK')}</send>
${hangingUp([
  'BYE [$contact] SIP/2.0',
  'Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]',
  'Max-Forwards: 70',
  'From: <sip:agent@[local_ip]:[local_port]>;tag=agent-[pid]-[call_number]',
  'To: [$from]',
  '[last_Call-ID:]',
  `CSeq: ${lastSequence} BYE`,
])}
${renegotiation(ownContact, sdp(input))}
${cancelled}`,
      );
  }
}

export function callerScenario(input: CallerScenario): string {
  const name = input.fromName === undefined ? '' : `"${input.fromName}" `;
  const from = `From: ${name}<sip:${input.fromNumber}@127.0.0.1:[local_port]>;tag=caller-[pid]-[call_number]`;
  const own = `sip:${input.to}@[remote_ip]:[remote_port]`;
  const request = (
    method: string,
    to: string,
    cseq: number,
    branch: string,
    more: readonly string[] = [],
    at = own,
  ) => [
    `${method} ${at} SIP/2.0`,
    `Via: SIP/2.0/UDP [local_ip]:[local_port];branch=${branch}`,
    'Max-Forwards: 70',
    from,
    `To: ${to}`,
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:caller@[local_ip]:[local_port]>',
    ...more,
  ];
  const timeout = timeLimit(input.hangUpAfterMs);
  const target = `<${own}>`;
  const [answerer, routes]: [string, readonly string[]] =
    input.isRouted === true ? ['[next_url]', ['[routes]']] : [own, []];
  const inviteBranch = 'z9hG4bKinvite-[pid]-[call_number]';
  const takeTo = '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>';
  const finals = finalCodes
    .map(
      (code) =>
        `<recv response="${code}" optional="true" next="refused"><action>${takeTo}${note(`final-${code}`)}</action></recv>`,
    )
    .join('\n');
  const invite = message(
    request('INVITE', target, 1, inviteBranch, ['Allow: INVITE, ACK, CANCEL, BYE', ...input.headers]),
    input.isLateOffer === true ? [] : sdp(input),
  );
  const acknowledgement = message(
    request('ACK', '[$to]', 1, '[branch]', routes, answerer),
    input.isLateOffer === true ? sdp(input) : [],
  );
  const speak = play(input.tonePath, input.codec, input.srtpKey);
  return scenario(
    'caller',
    `<nop><action>${note('invited')}</action></nop>
<send retrans="500">${invite}</send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"><action>${takeParty}${note('ringing')}</action></recv>
<recv response="181" optional="true"/>
<recv response="183" optional="true"><action>${takeParty}${note('progress')}</action></recv>
<recv request="${hangUpRequest}" optional="true" next="cancel"/>
${finals}
<recv response="200"${input.isRouted === true ? ' rrs="true"' : ''}><action>${takeTo}${takePort}${takeParty}${input.srtpKey === undefined ? '' : takeKey}${note('answered')}
<log message="${dialogLine}[call_id]|&lt;sip:caller@127.0.0.1&gt;;tag=caller-[pid]-[call_number]|[$to]|${own}|[local_port]"/></action></recv>
<send>${acknowledgement}<action>${input.streams === true ? stream(input.tonePath) : speak}${note('acknowledged')}</action></send>
${whereItTalks(timeout)}
<recv request="${hangUpRequest}" optional="true" next="hangUp"${timeout}/>
<recv request="BYE"${timeout}><action>${hush}${note('byeReceived')}</action></recv>
<send next="end">${message(['SIP/2.0 200 OK', '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]'])}</send>
${hangingUp(request('BYE', '[$to]', lastSequence, '[branch]', routes, answerer))}
${renegotiation('sip:caller@[local_ip]:[local_port]', sdp(input))}
<label id="cancel"/>
<nop><action>${note('cancelSent')}</action></nop>
<send retrans="500">${message(request('CANCEL', target, 1, inviteBranch))}</send>
<recv response="200" optional="true"/>
<recv response="487"><action>${takeTo}${note('final-487')}</action></recv>
<label id="refused"/>
<send>${message(request('ACK', '[$to]', 1, inviteBranch))}</send>
<label id="end"/>
<Reference variables="media,port,asserted${input.srtpKey === undefined ? '' : ',crypto,inline'}"/>`,
  );
}
