import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A real time-stamping authority: the answers are made by `openssl ts`, with a key and a certificate of its own. */
export type TimestampAuthority = {
  url: string;
  /** Its certificate, to verify by. */
  caFile: string;
  /** Every request as it came. */
  requests: { type: string | undefined; body: Buffer }[];
  /** Replaces what it answers. */
  answer: ((real: Buffer, query: Buffer) => Buffer | Promise<Buffer> | number) | undefined;
  stop(): Promise<void>;
};

const settings = (folder: string): string => `
[ tsa ]
default_tsa = ours
[ ours ]
serial = ${folder}/serial
signer_cert = ${folder}/tsa.pem
signer_key = ${folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
`;

/** Throws, with what to install, where there is no openssl. */
export async function startTimestampAuthority(folder: string): Promise<TimestampAuthority> {
  await mkdir(folder, { recursive: true });
  await run('openssl', ['version']).catch((cause: unknown) => {
    throw new Error('openssl is missing: apt-get install openssl', { cause });
  });
  await writeFile(`${folder}/tsa.cnf`, settings(folder));
  await writeFile(`${folder}/serial`, '01\n');
  const subject = ['-subj', '/CN=A test authority', '-days', '30'];
  const use = ['-addext', 'extendedKeyUsage=critical,timeStamping', '-addext', 'basicConstraints=CA:FALSE'];
  const made = ['-keyout', `${folder}/tsa.key`, '-out', `${folder}/tsa.pem`];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...use, ...made]);
  const authority: Omit<TimestampAuthority, 'url' | 'stop'> = {
    caFile: `${folder}/tsa.pem`,
    requests: [],
    answer: undefined,
  };
  let count = 0;
  const reply = async (query: Buffer): Promise<Buffer> => {
    const [ask, response] = [`${folder}/${(count += 1)}.tsq`, `${folder}/${count}.tsr`];
    await writeFile(ask, query);
    await run('openssl', ['ts', '-reply', '-config', `${folder}/tsa.cnf`, '-queryfile', ask, '-out', response]);

    return readFile(response);
  };
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      authority.requests.push({ type: request.headers['content-type'], body });
      const real = await reply(body);
      const given = authority.answer === undefined ? real : await authority.answer(real, body);
      response.setHeader('content-type', 'application/timestamp-reply');
      if (typeof given === 'number') response.writeHead(given).end();
      else response.end(given);
    })().catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return Object.assign(authority, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsr`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  });
}
