/** A call whose INVITE may be anything: SIPp's scenarios allow neither control characters nor names of 60 kB. */
import { createSocket } from 'node:dgram';
import { ulid } from 'ulid';
import type { RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { eventually } from '../poll.ts';

/** RFC 3261, 17.1.1.1 */
const t1Ms = 500;

export type RawCall = {
  sipPort: number;
  to: string;
  /** The whole From header behind its name, without tag. */
  from: string;
  headers?: readonly string[];
  receiver: RtpReceiver;
};

/** The code of the final answer, undefined where Asterisk said nothing; resolves when Asterisk hangs up. */
export async function rawCall({ sipPort, to, from, headers = [], receiver }: RawCall): Promise<number | undefined> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  const { port } = socket.address();
  const [callId, branch, tag] = [ulid(), ulid(), ulid()];
  const sdp = [
    'v=0',
    'o=lab 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${receiver.port} RTP/AVP 8 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    '',
  ].join('\r\n');
  const request = (method: string, toHeader: string, cseq: number, more: readonly string[], body: string): string =>
    [
      `${method} sip:${to}@127.0.0.1:${sipPort} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${method === 'ACK' ? ulid() : branch}`,
      'Max-Forwards: 70',
      `From: ${from};tag=${tag}`,
      `To: ${toHeader}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:lab@127.0.0.1:${port}>`,
      ...more,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  const say = (text: string): void => {
    socket.send(Buffer.from(text, 'latin1'), sipPort, '127.0.0.1');
  };
  let code: number | undefined;
  let isAnswered = false;
  let over = false;
  const field = (text: string, name: string): string =>
    new RegExp(`^${name}: (.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
  socket.on('message', (message) => {
    const text = message.toString('latin1');
    const answer = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? '0');
    isAnswered ||= answer >= 100;
    if (answer >= 200 && field(text, 'CSeq').endsWith('INVITE')) {
      code = answer;
      over = answer >= 300;
      say(request('ACK', field(text, 'To'), 1, [], ''));
    }
    if (text.startsWith('BYE ')) {
      const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${field(text, name)}`);
      say(['SIP/2.0 200 OK', ...copied, 'Content-Length: 0', '', ''].join('\r\n'));
      over = true;
    }
  });
  const invite = request('INVITE', `<sip:${to}@127.0.0.1>`, 1, [...headers, 'Content-Type: application/sdp'], sdp);
  // As the telephone of a caller who says nothing.
  const stopReports = receiver.reportOnly();
  // A dozen datagrams of 60 kB at once are more than Asterisk's socket holds: what is lost is sent again (RFC 3261, 17.1.1.2).
  let timer: NodeJS.Timeout | undefined;
  const sayUntilAnswered = (nextMs = t1Ms): void => {
    if (isAnswered) return;
    say(invite);
    timer = setTimeout(sayUntilAnswered, nextMs, 2 * nextMs);
  };
  try {
    sayUntilAnswered();
    // Asterisk refuses what is too long without a word.
    await eventually(() => code !== undefined, { withinMs: 30_000 }).catch(() => undefined);
    if (code !== undefined) await eventually(() => over);

    return code;
  } finally {
    clearTimeout(timer);
    stopReports();
    socket.close();
  }
}
