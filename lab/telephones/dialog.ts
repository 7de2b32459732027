/**
 * Requests inside a call that SIPp's scenario knows nothing of: keys by SIP INFO, hold, transfers. They are sent from a port
 * of their own; Asterisk knows a call by its Call-ID and tags, not by where a request comes from.
 */
import { createSocket } from 'node:dgram';
import { ulid } from 'ulid';

/** One side of a call, as its requests must name it. */
export type Dialog = {
  readonly callId: string;
  /** Address with tag, of the side that sends. */
  readonly own: string;
  /** Address with tag, of Asterisk. */
  readonly peer: string;
  /** Where Asterisk wants requests. */
  readonly target: string;
  /** Where the side that sends wants answers to go in future. */
  readonly ownPort: number;
};

type DialogRequest = {
  method: 'INFO' | 'INVITE' | 'REFER';
  headers?: readonly string[];
  body?: { type: string; lines: readonly string[] };
};

const answerWithinMs = 10_000;
const repeatMs = 500;

/** Higher with each request, so that it is right in every dialog. SIPp's own requests after the first come later. */
let sequence = 1;

/** From what the scenarios log (dialogLine). */
export function parseDialog(line: string): Dialog {
  const [callId = '', own = '', peer = '', target = '', port = ''] = line.split('|').map((part) => part.trim());

  return { callId, own, peer, target, ownPort: Number(port) };
}

/** Sends it until it is answered; the code of the final answer. */
async function send(dialog: Dialog, { method, headers = [], body }: DialogRequest): Promise<number> {
  sequence += 1;
  const number = sequence;
  const branch = `z9hG4bK${ulid()}`;
  const asteriskPort = Number(/:(\d+)/.exec(dialog.target.replace(/^sip:[^@]*@/, ''))?.[1] ?? '5060');
  const text = (name: string, more: readonly string[], content: string, ofBranch = branch): string =>
    [
      `${name} ${dialog.target} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${dialog.ownPort};rport;branch=${ofBranch}`,
      'Max-Forwards: 70',
      `From: ${dialog.own}`,
      `To: ${dialog.peer}`,
      `Call-ID: ${dialog.callId}`,
      `CSeq: ${number} ${name}`,
      `Contact: <sip:lab@127.0.0.1:${dialog.ownPort}>`,
      ...more,
      `Content-Length: ${Buffer.byteLength(content)}`,
      '',
      content,
    ].join('\r\n');
  const content = body === undefined ? '' : body.lines.map((line) => `${line}\r\n`).join('');
  const request = text(method, [...headers, ...(body === undefined ? [] : [`Content-Type: ${body.type}`])], content);
  const socket = createSocket('udp4');
  try {
    return await new Promise<number>((resolve, reject) => {
      const transmit = (message: string): void => {
        socket.send(message, asteriskPort, '127.0.0.1');
      };
      const repeat = setInterval(() => {
        transmit(request);
      }, repeatMs);
      const giveUp = setTimeout(() => {
        clearInterval(repeat);
        reject(new Error(`Asterisk does not answer ${method}.`));
      }, answerWithinMs);
      socket.on('message', (message) => {
        const answer = message.toString('latin1');
        const code = Number(/^SIP\/2\.0 (\d{3})/.exec(answer)?.[1] ?? '0');
        if (!answer.includes(`CSeq: ${number} ${method}`) || code < 100) return;
        clearInterval(repeat);
        if (code < 200) return;
        clearTimeout(giveUp);
        // Of an INVITE that was agreed to it is a transaction of its own, and else a part of the same one (RFC 3261, 17.1.1.3).
        if (method === 'INVITE') transmit(text('ACK', [], '', code < 300 ? `z9hG4bK${ulid()}` : branch));
        resolve(code);
      });
      transmit(request);
    });
  } finally {
    socket.close();
  }
}

/** Presses a key by SIP INFO. */
export function pressByInfo(dialog: Dialog, digit: string): Promise<number> {
  const body = { type: 'application/dtmf-relay', lines: [`Signal=${digit}`, 'Duration=160'] };

  return send(dialog, { method: 'INFO', body });
}

/** Puts Asterisk on hold: we send, and listen no more. */
export function hold(dialog: Dialog, soundPort: number): Promise<number> {
  return describe(dialog, soundPort, 'sendonly');
}

/** Comes back from a hold. */
export function resume(dialog: Dialog, soundPort: number): Promise<number> {
  return describe(dialog, soundPort, 'sendrecv');
}

/** Describes the session anew; each description of it has a higher version. */
function describe(dialog: Dialog, soundPort: number, direction: 'sendonly' | 'sendrecv'): Promise<number> {
  return describeAs(dialog, [
    `m=audio ${soundPort} RTP/AVP 8 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    `a=${direction}`,
  ]);
}

/** Another INVITE in the call, with this medium (RFC 4566). */
function describeAs(dialog: Dialog, medium: readonly string[]): Promise<number> {
  const session = ['v=0', `o=lab 1 ${Date.now()} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];

  return send(dialog, { method: 'INVITE', body: { type: 'application/sdp', lines: [...session, ...medium] } });
}

/** Wants to go on with a fax instead of sound (T.38), whose packets would come to this port. */
export function offerFax(dialog: Dialog, port: number): Promise<number> {
  return describeAs(dialog, [
    `m=image ${port} udptl t38`,
    'a=T38FaxVersion:0',
    'a=T38MaxBitRate:14400',
    'a=T38FaxRateManagement:transferredTCF',
    'a=T38FaxMaxBuffer:262',
    'a=T38FaxMaxDatagram:90',
    'a=T38FaxUdpEC:t38UDPRedundancy',
  ]);
}

/** Sends the other side of the call to an extension. */
export function transfer(dialog: Dialog, extension: string): Promise<number> {
  const to = dialog.target.replace(/^sip:[^@]*@/, `sip:${extension}@`);

  return send(dialog, { method: 'REFER', headers: [`Refer-To: <${to}>`, `Referred-By: ${dialog.own}`] });
}

/** How a request of somebody else names the place of this side in its call (RFC 3891). */
export function replaces({ callId, peer, own }: Dialog): string {
  const tag = (address: string): string => /;tag=([^;>]*)/.exec(address)?.[1] ?? '';

  return `${callId};to-tag=${tag(peer)};from-tag=${tag(own)}`;
}

/** Joins the other sides of two calls, both of which the sender is in. `consultation` is one that the sender placed. */
export function transferAttended(dialog: Dialog, consultation: Dialog): Promise<number> {
  const to = `${consultation.target}?Replaces=${encodeURIComponent(replaces(consultation))}`;

  return send(dialog, { method: 'REFER', headers: [`Refer-To: <${to}>`, `Referred-By: ${dialog.own}`] });
}
