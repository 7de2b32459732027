import { z } from 'zod';

/**
 * Every key of the configuration, with its default, unit and one sentence. docs/config.md and config/preavis.yaml are
 * checked against this file by a test; unknown keys are errors.
 */

type KeyMeta = { unit?: string; secret?: true };

const key = <T extends z.ZodType>(schema: T, sentence: string, meta: KeyMeta = {}): T =>
  schema.meta({ description: sentence, ...meta });

const seconds = (min: number, max: number): z.ZodInt => z.int().min(min).max(max);
const port = z.int().min(1).max(65_535);
const languageTag = z.string().regex(/^[a-z]{2,3}(_[A-Z]{2})?$/, 'is not a language tag such as fr or fr_BE');
const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'is not a name of lower-case letters, digits and hyphens');

const purpose = z.strictObject({
  justification: key(
    z.string().trim().min(20, 'needs a sentence of at least 20 characters'),
    'Why this company records for this purpose, in words; goes into each receipt.',
  ),
  legalBasis: key(z.string().trim().min(3), 'The legal basis, as counsel put it; goes into each receipt.'),
  keepDays: key(
    z.int().min(0).max(3653),
    'How long a recording is kept after the call; never longer than the notice says.',
    { unit: 'days' },
  ),
});

const line = z.strictObject({
  purposes: key(z.array(name).min(1).max(4), 'The purposes that calls on this line are recorded for.'),
  language: key(
    languageTag.optional(),
    'The language of this line whoever calls, for a number that is published in one language.',
  ),
  defaultLanguages: key(
    z.array(languageTag).min(1).max(2),
    'The languages of the notice when nothing says more about the caller; two are played one after the other.',
  ),
});

export const configSchema = z.strictObject({
  ari: z
    .strictObject({
      url: key(
        z
          .url({ protocol: /^https?$/, error: 'is not an address such as http://127.0.0.1:8088' })
          .default('http://127.0.0.1:8088'),
        "Address of Asterisk's HTTP server.",
      ),
      username: key(z.string().min(1).default('preavis'), 'User of ari.conf; it must not be read-only.'),
      password: key(z.string().min(1).optional(), 'Its password; better given by the environment or a file.', {
        secret: true,
      }),
      passwordFile: key(z.string().min(1).optional(), 'File that holds the password in its first line.'),
      application: key(
        z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,40}$/, 'is not a name of letters, digits, _ and -')
          .default('preavis'),
        'Stasis application name, as in the dialplan.',
      ),
      requestTimeoutMs: key(z.int().min(100).max(60_000).default(5_000), 'Time limit of one request to Asterisk.', {
        unit: 'ms',
      }),
      heartbeatMs: key(
        z.int().min(100).max(60_000).default(4_000),
        'Interval of the ping on the event socket; a socket without an answer for two intervals is replaced.',
        { unit: 'ms' },
      ),
    })
    .prefault({}),
  notice: z
    .strictObject({
      soundsFolder: key(
        z.string().min(1).optional(),
        'Folder with prompts.yaml and the sound files; default: the one that comes with Préavis.',
      ),
      languages: key(
        z.array(languageTag).min(1).default(['fr', 'nl', 'de', 'en']),
        'The languages the notice is offered in; every prompt must be on Asterisk in each of them.',
      ),
      defaultCountry: key(
        z
          .string()
          .regex(/^[A-Z]{2}$/, 'is not a country such as BE')
          .default('BE'),
        'Country of caller numbers that arrive without a country code.',
      ),
    })
    .prefault({}),
  purposes: key(
    z.record(name, purpose).refine((all) => Object.keys(all).length > 0, 'needs at least one purpose'),
    'The purposes of recording, by name.',
  ),
  lines: key(z.record(name, line), 'The lines, by the name that the dialplan gives as line=.').refine(
    (all) => 'default' in all,
    'needs a line named default',
  ),
  dialling: z
    .strictObject({
      timeoutSeconds: key(
        seconds(1, 600).default(30),
        'How long the destination rings when the dialplan gives no timeout=.',
        { unit: 's' },
      ),
    })
    .prefault({}),
  recording: z
    .strictObject({
      spoolFolder: key(
        z.string().min(1).default('/var/spool/asterisk/recording'),
        'Folder where Asterisk puts recordings, as seen from this machine.',
      ),
      minimumFreeMib: key(
        z.int().min(0).default(500),
        'With less free space there, calls go on unrecorded until there is room again.',
        { unit: 'MiB' },
      ),
      maximumMinutes: key(z.int().min(1).max(1_440).default(240), 'A recording is stopped after this time.', {
        unit: 'minutes',
      }),
    })
    .prefault({}),
  catalogue: z
    .strictObject({
      file: key(z.string().min(1).default('/var/lib/preavis/catalogue.db'), 'The SQLite file of the catalogue.'),
    })
    .prefault({}),
  archive: z
    .strictObject({
      store: key(z.enum(['directory', 'minio']).default('directory'), 'Where finished recordings are kept.'),
      directory: z
        .strictObject({
          folder: key(
            z.string().min(1).default('/var/lib/preavis/archive'),
            'Folder of the directory store, for example a mounted NAS.',
          ),
        })
        .prefault({}),
      minio: z
        .strictObject({
          endPoint: key(z.string().min(1).default('127.0.0.1'), 'Host name or address of MinIO or another S3 store.'),
          port: key(port.default(9000), 'Its port.'),
          useTls: key(z.boolean().default(true), 'Whether to speak HTTPS to it.'),
          accessKey: key(z.string().min(1).optional(), 'Access key.', { secret: true }),
          secretKey: key(z.string().min(1).optional(), 'Secret key; better given by the environment or a file.', {
            secret: true,
          }),
          secretKeyFile: key(z.string().min(1).optional(), 'File that holds the secret key in its first line.'),
          region: key(z.string().min(1).default('us-east-1'), 'Region that signatures name.'),
          bucket: key(
            z
              .string()
              .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is not a bucket name')
              .default('preavis'),
            'Bucket; it must exist.',
          ),
          prefix: key(
            z
              .string()
              .regex(/^([A-Za-z0-9._-]+\/)*$/, 'is not empty and does not end in /')
              .default(''),
            'Put before every object key, ending in /.',
          ),
        })
        .prefault({}),
      uploadsAtOnce: key(z.int().min(1).max(32).default(4), 'How many recordings are sent at the same time.'),
      attemptSeconds: key(seconds(1, 86_400).default(900), 'Time limit of one attempt to store one recording.', {
        unit: 's',
      }),
    })
    .prefault({}),
  schedule: z
    .strictObject({
      timezone: key(z.string().min(1).default('Europe/Brussels'), 'Time zone of the two lines below.'),
      upload: key(z.string().default('* * * * *'), 'When finished recordings are sent to the archive (cron).'),
      retention: key(z.string().default('17 3 * * *'), 'When recordings that are due are erased (cron).'),
    })
    .prefault({}),
  health: z
    .strictObject({
      host: key(z.string().min(1).default('127.0.0.1'), 'Address of the health page.'),
      port: key(z.int().min(0).max(65_535).default(8090), 'Port of the health page, GET /health; 0 switches it off.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: key(
        z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
        'Least severe lines that are written.',
      ),
    })
    .prefault({}),
  shutdown: z
    .strictObject({
      graceSeconds: key(
        seconds(0, 86_400).default(60),
        'How long the first SIGTERM or SIGINT lets calls and uploads finish.',
        { unit: 's' },
      ),
    })
    .prefault({}),
});

/** The whole configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;
export type LineConfig = Config['lines'][string];
export type PurposeConfig = Config['purposes'][string];
