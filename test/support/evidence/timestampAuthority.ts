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
  /** The root of its chain, to verify by. */
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
certs = ${folder}/middle.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
`;

/** A root, a certificate between, and that of the authority, as a qualified one has. */
async function makeCertificates(folder: string, validity: readonly string[]): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const issuer = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
  const stamper = ['-addext', 'basicConstraints=CA:FALSE', '-addext', 'extendedKeyUsage=critical,timeStamping'];
  const make = async (name: string, by: string | undefined, more: readonly string[]): Promise<void> => {
    const files = ['-keyout', `${folder}/${name}.key`, '-out', `${folder}/${name}.pem`];
    const signed = by === undefined ? [] : ['-CA', `${folder}/${by}.pem`, '-CAkey', `${folder}/${by}.key`];
    await run('openssl', ['req', '-x509', ...key, '-subj', `/CN=A test ${name}`, ...files, ...signed, ...more]);
  };
  await make('root', undefined, [...issuer, '-days', '3650']);
  await make('middle', 'root', [...issuer, '-days', '3650']);
  await make('tsa', 'middle', [...stamper, ...validity]);
}

/** @param validity of its certificate, as `openssl req` takes it. Throws, with what to install, where there is no openssl. */
export async function startTimestampAuthority(
  folder: string,
  validity: readonly string[] = ['-days', '30'],
): Promise<TimestampAuthority> {
  await mkdir(folder, { recursive: true });
  await run('openssl', ['version']).catch((cause: unknown) => {
    throw new Error('openssl is missing: apt-get install openssl', { cause });
  });
  await writeFile(`${folder}/tsa.cnf`, settings(folder));
  await writeFile(`${folder}/serial`, '01\n');
  await makeCertificates(folder, validity);
  const authority: Omit<TimestampAuthority, 'url' | 'stop'> = {
    caFile: `${folder}/root.pem`,
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
