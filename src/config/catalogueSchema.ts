import { isIP } from 'node:net';
import * as z from 'zod';
import { key, name, port, section } from './field.ts';
import type { Fault } from './purposeRules.ts';

/** PostgreSQL cuts longer names short (NAMEDATALEN), and two would be one. */
const mostBytesOfName = 63;
const sqlName = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= mostBytesOfName, `is longer than ${mostBytesOfName} bytes`)
  .refine((text) => !/[\x00-\x1f\x7f]/.test(text), 'has characters that no name has');

/** The part `catalogue` of the configuration. */
export const catalogue = section({
  store: key(
    z.enum(['sqlite', 'postgres']).default('sqlite'),
    'Where the catalogue is: in a file of this machine, or in a database of PostgreSQL, which several PBXs can share (docs/operations/postgresql.md).',
  ),
  file: key(z.string().min(1).default('/var/lib/preavis/catalogue.db'), 'The SQLite file of the catalogue.'),
  folder: key(
    z.string().min(1).optional(),
    'Folder of what lies beside the catalogue: signing key, ledger of erasures, key of the console. Default: the folder of catalogue.file, also with store: postgres.',
  ),
  installation: key(
    name.optional(),
    'Name of this installation, which its database is marked with at the first start: the same for all that share the database, so that no other installation takes it. Needed with store: postgres.',
  ),
  postgres: section({
    host: key(
      z
        .string()
        .refine(isHost, 'is neither a host name or an address, nor the absolute path of the folder of a socket')
        .default('/var/run/postgresql'),
      'Host name or address of PostgreSQL, or the folder of its socket on this machine.',
    ),
    port: key(port.default(5432), 'Its port; it is part of the name of the socket, too.'),
    database: key(sqlName.default('preavis'), 'Database, of the encoding UTF8; it must exist.'),
    user: key(sqlName.default('preavis'), 'User of PostgreSQL who owns the database.'),
    password: key(
      z.string().min(1).optional(),
      'Password of that user; better given by the environment or a file. By a socket none is needed where the user of the machine has the same name.',
      { secret: true },
    ),
    passwordFile: key(z.string().min(1).optional(), 'File that holds it in its first line.'),
    useTls: key(
      z.boolean().optional(),
      'Whether to speak TLS to it, and to check its certificate. Default: true, but on this machine (a socket, localhost) false.',
    ),
    caFile: key(
      z.string().min(1).optional(),
      'Certificates (PEM) of whoever has signed that of PostgreSQL; default: the authorities that Node.js trusts.',
    ),
  }),
});

function isHost(text: string): boolean {
  if (text.startsWith('/')) return true;

  return isIP(text) !== 0 || /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/.test(text);
}

export type CatalogueConfig = z.output<typeof catalogue>;

/** Whether what is said to PostgreSQL stays on this machine. */
const isOnThisMachine = (host: string): boolean => host.startsWith('/') || /^(127\.[0-9.]+|::1|localhost)$/.test(host);

export const speaksTls = ({ host, useTls }: CatalogueConfig['postgres']): boolean => useTls ?? !isOnThisMachine(host);

/** @param pbx `ari.pbx` */
export function catalogueFaults({ store, installation, postgres }: CatalogueConfig, pbx: string | undefined): Fault[] {
  if (store === 'sqlite') return [];
  const { host, useTls, caFile } = postgres;
  const at = (...path: string[]): string[] => ['catalogue', ...path];

  return [
    ...(installation === undefined
      ? [{ path: at('installation'), message: 'is missing: choose a name for all that share the database' }]
      : []),
    ...(pbx === undefined
      ? [
          {
            path: ['ari', 'pbx'],
            message:
              'is missing: with catalogue.store: postgres each PBX has a name, which tells its calls from those of others',
          },
        ]
      : []),
    ...(host.startsWith('/') && useTls === true
      ? [{ path: at('postgres', 'useTls'), message: 'is not possible by a socket' }]
      : []),
    ...(caFile !== undefined && !speaksTls(postgres)
      ? [{ path: at('postgres', 'caFile'), message: 'is of no use without catalogue.postgres.useTls: true' }]
      : []),
  ];
}
