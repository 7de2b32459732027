/**
 * Whether a time stamp is signed by an authority that is trusted, chain of certificates included. The program openssl judges it, as an
 * expert would: `ts -verify` looks at the signature, the certificate's hash in it, its purpose and its chain.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';

const longestMs = 20_000;

type Ended = { error: Error | null; stderr: string };

function openssl(args: readonly string[], signal: AbortSignal): Promise<Ended> {
  const path = process.env['PATH'];
  const options = { env: { ...(path === undefined ? {} : { PATH: path }), LC_ALL: 'C' }, signal };

  return new Promise((resolve) => {
    execFile('openssl', args, options, (error, _stdout, stderr) => {
      resolve({ error, stderr });
    });
  });
}

/**
 * Why a time stamp is not one of this authority; undefined when it is. It is judged as of its own time, since certificates end. Whether
 * the authority has revoked its certificate is not asked.
 *
 * @param response a TimeStampResp
 * @param stamp what readTimeStamp says of it
 * @param authorityFile the root certificates that are trusted, in PEM; certificates between may stand with them; undefined: as
 *   `signatureFault` says
 * @throws PreavisError `timestamp_failed`: openssl cannot be run; and the reason of the signal.
 */
export async function stampFault(
  response: Buffer,
  { sha256, at }: { sha256: string; at: string },
  authorityFile: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (authorityFile === undefined) return signatureFault(response, signal);

  return withStamp(response, async (file) => {
    const seconds = `${Math.floor(Date.parse(at) / 1_000)}`;
    const what = ['ts', '-verify', '-digest', sha256, '-in', file];
    const by = ['-CAfile', authorityFile, '-untrusted', authorityFile, '-attime', seconds];
    const { error, stderr } = await openssl([...what, ...by], AbortSignal.any([signal, timeLimit(longestMs)]));
    signal.throwIfAborted();
    if (error === null) return undefined;
    const unusable = whyNotRun(error);
    if (unusable !== undefined) {
      throw new PreavisError('timestamp_failed', `openssl, which verifies time stamps, cannot be run (${unusable})`, {
        cause: error,
        hint: 'Install it: apt-get install openssl.',
      });
    }

    return /[Vv]erify error:([a-z -]{1,80})/.exec(stderr)?.[1] ?? unfit;
  });
}

const unfit = 'its signature does not fit';

/**
 * Whether a time stamp is signed with the key of the certificate in it, whosever that is: in words when it is not. undefined also where that cannot be
 * looked at, without openssl or without a certificate in it. Throws the reason of the signal.
 */
export async function signatureFault(response: Buffer, signal: AbortSignal): Promise<string | undefined> {
  return withStamp(response, async (file) => {
    const limit = AbortSignal.any([signal, timeLimit(longestMs)]);
    const token = `${file}.token`;
    const taken = await openssl(['ts', '-reply', '-in', file, '-token_out', '-out', token], limit);
    const { error, stderr } =
      taken.error === null
        ? await openssl(['cms', '-verify', '-noverify', '-inform', 'DER', '-in', token, '-out', `${file}.said`], limit)
        : taken;
    signal.throwIfAborted();
    const isUnknown = error !== null && (whyNotRun(error) !== undefined || stderr.includes('certificate not found'));

    return error === null || isUnknown ? undefined : unfit;
  });
}

/** Why openssl was not run to its end; undefined where it was. */
function whyNotRun(error: Error): string | undefined {
  return errnoOf(error) ?? (error.name === 'AbortError' ? 'too slow' : undefined);
}

/** In a file for as long as the step takes. */
async function withStamp<T>(response: Buffer, step: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'preavis-stamp-'));
  try {
    const file = join(folder, 'stamp.tsr');
    await writeFile(file, response, { mode: 0o600 });

    return await step(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
