/**
 * A telephone system with Préavis on it: Asterisk with our dialplan and prompts, the real `preavis serve` as a process of
 * its own, an archive, and whatever calls a test or the demo makes.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { workerNames, type WorkerName } from '../src/config/workerNames.ts';
import { logsSounds } from '../src/receipt/witness.ts';
import { incomingContext, startAsterisk, type LabAsterisk } from './asterisk/asterisk.ts';
import { fakeClockVariables, installFakeClock, setFakeClock } from './asterisk/fakeClock.ts';
import { findInstallation } from './installation.ts';
import { makeLabFolder } from './machine/processes.ts';
import { catalogueIn } from './postgres/postgres.ts';
import { installShippedPrompts } from './prompts.ts';
import { makeServeProcess, type ServeProcess } from './serveProcess.ts';
import type { StoreAddress } from './store/storeAccounts.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const command = join(project, 'dist/main.js');

export const rigBucket = 'recordings';

export type RigOptions = {
  /** What each extension dials: arguments of `Gosub(preavis,s,1(...))`. */
  extensions?: Readonly<Record<string, string>>;
  /** Further dialplan of the context for incoming calls, one line each. */
  lines?: readonly string[];
  /** More of Asterisk's configuration, by file name. */
  conf?: Readonly<Record<string, string>>;
  /** Archive in this S3 server; without it, in a folder. */
  store?: StoreAddress;
  /** Catalogue in this database (of lab/postgres), which nobody else uses; without it, in a file. */
  database?: string;
  /** Laid over the rig's configuration, key by key. */
  config?: Readonly<Record<string, Record<string, unknown>>>;
  /** Environment of `serve` and of commands. */
  environment?: Readonly<Record<string, string>>;
  rtpPorts?: number;
  /** By how much Asterisk's clock is off, such as `+60d`; it can be set then. */
  asteriskClockOff?: string;
  /** The same for the clock of Préavis, `serve` and commands. */
  clockOff?: string;
  /** Options of Node for `serve`, for example `--cpu-prof`. */
  nodeOptions?: readonly string[];
  /** Leave Préavis unstarted. */
  idle?: boolean;
};

type CommandResult = { code: number; stdout: string; stderr: string };

export type Rig = {
  readonly asterisk: LabAsterisk;
  readonly folder: string;
  readonly archiveFolder: string;
  /** Address of its catalogue's database; undefined: it is the file `catalogue.db` of the folder. */
  readonly database: string | undefined;
  readonly healthPort: number;
  readonly configFile: string;
  /** What `serve` writes to its standard output. */
  readonly logFile: string;
  /** What a shell needs in its environment to run `preavis` on this rig; there are passwords in it. */
  readonly variables: Readonly<Record<string, string>>;
  /** Runs `preavis` with arguments; never rejects. The code is -1 when it was killed. */
  preavis(...args: string[]): Promise<CommandResult>;
  /** The same with more in its environment. */
  preavisWith(more: Readonly<Record<string, string>>, ...args: string[]): Promise<CommandResult>;
  /** As preavis, with `--json`, parsed. */
  preavisJson<T>(...args: string[]): Promise<T>;
  /** The lines that `serve` has logged since the rig was made. */
  log(): Record<string, unknown>[];
  /** Steps the clock of Préavis to this much from the right time; only where `clockOff` was given. */
  setClock(off: string): void;
  servePid(): number | undefined;
  /** Of the `preavis web` that it has started, if it has. */
  webPid(): number | undefined;
  /** `more`: in the environment of this process alone, and `args` behind its command. */
  startServe(more?: Readonly<Record<string, string>>, ...args: string[]): Promise<void>;
  /** Asks serve to stop and waits for it; its exit code. */
  stopServe(signal?: NodeJS.Signals): Promise<void>;
  killServe(): Promise<void>;
  /** Two that take the place of the one `serve`. */
  readonly workers: Readonly<Record<WorkerName, ServeProcess>>;
  stop(): Promise<void>;
};

/** The child of a process that was started with this argument. */
function childOf(pid: number, argument: string): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);

  return children
    .map(Number)
    .find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').includes(argument));
}

/** The dialplan of a lab: our include file, and one line of it in each extension. */
export function rigDialplan(extensions: Readonly<Record<string, string>>, lines: readonly string[] = []): string {
  const include = readFileSync(join(project, 'dialplan/preavis.conf'), 'utf8');
  const own = Object.entries(extensions).map(
    ([extension, args]) => `exten => ${extension},1,Gosub(preavis,s,1(${args}))\n same => n,Hangup(\${HANGUPCAUSE})\n`,
  );

  return `[${incomingContext}]\n${own.join('')}${lines.join('\n')}\n\n${include}`;
}

/** A purpose of the lab, where no law holds. */
export function labPurpose(words: string, justification: string, keepDays: number): Record<string, unknown> {
  return {
    names: { fr: words, nl: words, de: words, en: words },
    justification,
    legalBasis: 'none: nobody speaks in the lab',
    jurisdiction: 'other',
    consent: 'announce',
    keepDays,
    checkedByCounsel: true,
  };
}

const purposes = {
  training: labPurpose('training', 'Calls of the lab are listened to in order to see that recording works.', 28),
  agreement: {
    ...labPurpose('agreement', 'Calls of the lab are kept in order to see that keeping works.', 392),
    kind: 'evidence',
  },
};

/** The files that an operator copies for the second witness, with the events that this Asterisk knows. */
async function witnessConf(): Promise<Record<string, string>> {
  const knowsSounds = logsSounds((await findInstallation()).version);
  const textOf = (name: string): string => readFileSync(join(project, 'config/asterisk', name), 'utf8');
  const cel = textOf('cel.conf');

  return {
    'cel.conf': knowsSounds ? cel : cel.replace('STREAM_BEGIN,STREAM_END,', ''),
    'cel_custom.conf': textOf('cel_custom.conf'),
  };
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const labFolder = makeLabFolder();
  const folder = labFolder.path;
  const archiveFolder = join(folder, 'archive');
  await mkdir(archiveFolder, { recursive: true });
  const asterisk = await startAsterisk({
    dialplan: rigDialplan(options.extensions ?? {}, options.lines),
    conf: { ...(await witnessConf()), ...options.conf },
    ...(options.rtpPorts === undefined ? {} : { rtpPorts: options.rtpPorts }),
    ...(options.asteriskClockOff === undefined ? {} : { clockOff: options.asteriskClockOff }),
  });
  await installShippedPrompts(asterisk.soundsFolder);
  const healthPort = asterisk.ports.sip + 1;
  const { store, database } = options;
  const inDatabase = database === undefined ? undefined : catalogueIn(database);
  const base: Record<string, Record<string, unknown>> = {
    ari: {
      ...{ url: asterisk.ariUrl, username: asterisk.ariUsername },
      ...(database === undefined ? {} : { pbx: 'lab' }),
    },
    purposes,
    lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } },
    recording: { spoolFolder: asterisk.spoolFolder, minimumFreeMib: 10 },
    witness: { celFile: asterisk.celFile },
    // Beside that file lie key and ledger, whatever has the catalogue.
    catalogue: { file: join(folder, 'catalogue.db'), ...inDatabase?.catalogue },
    archive:
      store === undefined
        ? { store: 'directory', directory: { folder: archiveFolder } }
        : {
            store: 'minio',
            minio: {
              endPoint: store.endPoint,
              port: store.port,
              useTls: false,
              accessKey: store.accessKey,
              bucket: rigBucket,
            },
          },
    // Passes are asked for, so that a test knows when they run.
    schedule: { upload: '0 0 1 1 *', retention: '0 0 1 1 *', reconcile: '0 0 1 1 *' },
    health: { port: healthPort },
    log: { level: 'debug' },
    shutdown: { graceSeconds: 5 },
  };
  const merged = { ...base };
  for (const [key, value] of Object.entries(options.config ?? {})) merged[key] = { ...merged[key], ...value };
  const configFile = join(folder, 'preavis.yaml');
  writeFileSync(configFile, stringify(merged), { mode: 0o600 });
  if (options.clockOff !== undefined) installFakeClock(folder, options.clockOff);
  const clock = options.clockOff === undefined ? {} : fakeClockVariables(folder);
  const variables = {
    PREAVIS_CONFIG: configFile,
    PREAVIS_ARI_PASSWORD: asterisk.ariPassword,
    ...(store === undefined ? {} : { PREAVIS_ARCHIVE_MINIO_SECRET_KEY: store.secretKey }),
    ...(inDatabase === undefined ? {} : { PREAVIS_CATALOGUE_POSTGRES_PASSWORD: inDatabase.password }),
    ...options.environment,
  };
  // What jest needs is nothing that an operator has.
  const environment = { ...process.env, NODE_OPTIONS: '', ...clock, ...variables };
  const makeServe = (name: string, port: number, more: Readonly<Record<string, string>> = {}): ServeProcess =>
    makeServeProcess({
      command: [...(options.nodeOptions ?? []), command],
      environment: { ...environment, ...more },
      healthPort: port,
      logFile: join(folder, `${name}.log`),
    });
  const serve = makeServe('serve', healthPort);
  const workers = Object.fromEntries(
    workerNames.map((worker, index) => [
      worker,
      makeServe(`worker-${worker}`, healthPort + index, { PREAVIS_ARI_WORKER: worker }),
    ]),
  ) as Record<WorkerName, ServeProcess>;

  const preavisWith = (more: Readonly<Record<string, string>>, ...args: string[]): Promise<CommandResult> =>
    new Promise((resolve) => {
      execFile(process.execPath, [command, ...args], { env: { ...environment, ...more } }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  const preavis = (...args: string[]): Promise<CommandResult> => preavisWith({}, ...args);
  const rig: Rig = {
    asterisk,
    folder,
    archiveFolder,
    database,
    healthPort,
    configFile,
    logFile: serve.logFile,
    variables,
    preavis,
    preavisWith,
    preavisJson: async <T>(...args: string[]) => {
      const result = await preavis(...args, '--json');
      if (result.stdout === '') throw new Error(`preavis ${args.join(' ')} printed nothing: ${result.stderr}`);
      return JSON.parse(result.stdout) as T;
    },
    log: serve.log,
    setClock: (off) => {
      if (options.clockOff === undefined) throw new Error('The clock of this Préavis cannot be set.');
      setFakeClock(folder, off);
    },
    servePid: serve.pid,
    webPid: () => {
      const pid = serve.pid();

      return pid === undefined ? undefined : childOf(pid, 'web');
    },
    startServe: serve.start,
    stopServe: serve.stop,
    killServe: serve.kill,
    workers,
    stop: async () => {
      for (const each of [serve, ...Object.values(workers)]) await each.stop('SIGTERM', 20_000);
      await asterisk.stop();
      labFolder.remove();
    },
  };
  try {
    if (options.idle !== true) await rig.startServe();
  } catch (error) {
    await rig.stop();
    throw error;
  }

  return rig;
}
