/** Time stamps of RFC 3161: an authority outside the company signs that a hash was there at a time. */
import { request } from 'undici';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { stampFault } from './stampSignature.ts';
import { der, derInside, derInteger, derNumber, derTag, derValues } from './der.ts';

export type TimeStamp = {
  /** SHA-256 of what was stamped, in hex. */
  sha256: string;
  /** ISO 8601 in UTC, as the authority has it. */
  at: string;
  nonce: bigint | undefined;
};

const sha256Id = Buffer.from('608648016503040201', 'hex');
const signedDataId = Buffer.from('2a864886f70d010702', 'hex');
const tstInfoId = Buffer.from('2a864886f70d0109100104', 'hex');

/** A TimeStampReq for a SHA-256 that asks for the certificate, too. */
function timeStampRequest(sha256: string, nonce: bigint): Buffer {
  const algorithm = der(derTag.sequence, der(derTag.objectId, sha256Id), der(derTag.null));
  const imprint = der(derTag.sequence, algorithm, der(derTag.octets, Buffer.from(sha256, 'hex')));

  return der(derTag.sequence, derInteger(1n), imprint, derInteger(nonce), der(derTag.boolean, Buffer.from([0xff])));
}

function isoOf(text: string): string {
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(text) ?? [];
  if (second === undefined) throw new Error('its time is not one');

  return `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second}${fraction}Z`;
}

/**
 * What a TimeStampResp says. The signature in it is not looked at: that is for stampFault. Throws an Error for anything that is not a time stamp over a SHA-256, and for a refusal.
 */
export function readTimeStamp(response: Buffer): TimeStamp {
  const [whole, ...behind] = derValues(response);
  if (behind.length > 0) throw new Error('something stands behind it');
  const [status, token] = derValues(derInside(whole, derTag.sequence));
  const granted = derNumber(derValues(derInside(status, derTag.sequence))[0]);
  if (granted > 1n) throw new Error(`it was refused (status ${granted})`);
  const [tokenType, tokenContent] = derValues(derInside(token, derTag.sequence));
  if (!derInside(tokenType, derTag.objectId).equals(signedDataId)) throw new Error('it is not signed');
  const signed = derValues(derInside(derValues(derInside(tokenContent, derTag.explicit0))[0], derTag.sequence));
  const [contentType, content] = derValues(derInside(signed[2], derTag.sequence));
  if (!derInside(contentType, derTag.objectId).equals(tstInfoId)) throw new Error('it is no time stamp');
  const octets = derInside(derValues(derInside(content, derTag.explicit0))[0], derTag.octets);
  const info = derValues(derInside(derValues(octets)[0], derTag.sequence));
  const [algorithm, hash] = derValues(derInside(info[2], derTag.sequence));
  const algorithmId = derInside(derValues(derInside(algorithm, derTag.sequence))[0], derTag.objectId);
  if (!algorithmId.equals(sha256Id)) throw new Error('it is not over a SHA-256');
  const nonce = info.slice(5).find(({ tag }) => tag === derTag.integer);

  return {
    sha256: derInside(hash, derTag.octets).toString('hex'),
    at: isoOf(derInside(info[4], derTag.generalizedTime).toString('latin1')),
    nonce: nonce === undefined ? undefined : derNumber(nonce),
  };
}

const timeLimitMs = 30_000;
/** A time stamp with its certificates is a few kB. */
const largestAnswerBytes = 256 * 1024;

async function ask(url: string, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: query,
    signal: AbortSignal.any([signal, timeLimit(timeLimitMs)]),
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largestAnswerBytes) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  if (statusCode !== 200) throw new Error(`it answered with HTTP ${statusCode}`);

  return Buffer.concat(chunks);
}

export type StampOrder = {
  /** A random number below 2^63, not used before. */
  nonce: bigint;
  /** The certificates that must bear it out; undefined: only its signature is looked at, where openssl is there, and not whose it is. */
  authorityFile?: string | undefined;
  signal: AbortSignal;
};

/**
 * Has a SHA-256 stamped; gives the TimeStampResp as it came, which says what was asked.
 *
 * @throws PreavisError `timestamp_failed`, and the reason of the signal.
 */
export async function fetchTimeStamp(url: string, sha256: string, order: StampOrder): Promise<Buffer> {
  const { nonce, authorityFile, signal } = order;
  const failed = (why: string, cause?: unknown): PreavisError =>
    new PreavisError('timestamp_failed', `the time-stamping authority: ${why}`, { cause });
  let response: Buffer;
  let stamp: TimeStamp;
  try {
    response = await ask(url, timeStampRequest(sha256, nonce), signal);
    stamp = readTimeStamp(response);
  } catch (cause) {
    signal.throwIfAborted();
    throw failed(errnoOf(cause) ?? (cause instanceof Error ? cause.message : 'error'), cause);
  }
  if (stamp.sha256 !== sha256) throw failed('it stamped something else');
  if (stamp.nonce !== nonce) throw failed('its answer belongs to another request');
  const fault = await stampFault(response, stamp, authorityFile, signal);
  if (fault === undefined) return response;
  const whose = 'it is not the one of evidence.timestampAuthorityFile: ';
  throw failed(authorityFile === undefined ? `of what it stamped, ${fault}` : `${whose}${fault}`);
}
