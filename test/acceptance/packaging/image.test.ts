/**
 * The image of the Dockerfile, built by Podman on a base that is made here (Debian's packages, Node and npm), and run as deployment.md says:
 * as its user, with a root file system that nothing can write to, beside a real Asterisk.
 */
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { imageBase } from '../../../lab/machine/folders.mjs';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { noImages, startPodman, type Container, type Podman } from '../../support/packaging/podman.ts';
import { eventually } from '../../support/poll.ts';
import { useRig } from '../../support/rig/rigs.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..', '..');
const { version } = z
  .looseObject({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
const image = `localhost/preavis:${version}`;
const uid = 10_001;
const folder = temporaryFolder();
const talkMs = 4_000;
const spoolInside = '/var/spool/asterisk/recording';
/** npm, the build and Podman do much at once, and a busy machine has little of it to give, ms. */
const buildLimitMs = 900_000;

let podman: Podman;
let serve: Container | undefined;

const inspected = z.tuple([
  z.looseObject({
    Config: z.looseObject({
      User: z.string(),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      Volumes: z.record(z.string(), z.unknown()),
      Labels: z.record(z.string(), z.string()),
    }),
    HealthCheck: z.looseObject({ Test: z.array(z.string()) }).optional(),
    Healthcheck: z.looseObject({ Test: z.array(z.string()) }).optional(),
  }),
]);
/** What failed has printed; `check` ends with code 3 where people are to judge something. */
const printed = z.looseObject({ stdout: z.string() });
const listed = z.looseObject({ recordings: z.array(z.looseObject({ status: z.string(), durationMs: z.number() })) });

const describeImage = noImages === undefined ? describe : describe.skip;
if (noImages !== undefined) process.stderr.write(`image.test: the image is neither built nor run: ${noImages}\n`);

describeImage(`the image (needs root, Podman and a base: node lab/prepare.mjs --with image)`, () => {
  const at = useRig(async () => {
    const agent = await at.keep(
      startAgent({ behaviour: 'answer', tone: await continuousTone(1_000), hangUpAfterMs: talkMs }),
    );

    return { idle: true, extensions: { '100': `${agent.dialString},20` } };
  });

  const logFile = (): string => folder.path('serve.log');
  /** As deployment.md and compose.yaml have it. */
  const options = (): string[] => [
    ...['--rm', '--network', 'host', '--pull', 'never'],
    ...['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    ...['--group-add', String(statSync(at.rig.asterisk.spoolFolder).gid)],
    ...['--volume', `${folder.path('etc')}:/etc/preavis:ro`],
    ...['--volume', `${folder.path('state')}:/var/lib/preavis`],
    ...['--volume', `${at.rig.asterisk.spoolFolder}:${spoolInside}`],
    ...['--env', `PREAVIS_ARI_PASSWORD=${at.rig.asterisk.ariPassword}`],
    ...['--env', `PREAVIS_HEALTH_PORT=${at.rig.healthPort}`],
  ];
  const preavis = (...args: string[]): Promise<string> => podman.run('run', ...options(), image, ...args);

  beforeAll(async () => {
    podman = await startPodman(folder.path('podman'));
    const base = `localhost/node:${imageBase().node}-${imageBase().release}`;
    const archive = folder.path('base.tar');
    await run('tar', ['-C', imageBase().folder, '-cf', archive, '.']);
    await podman.run('import', archive, base);
    const given = ['BUILD_BASE', 'BASE'].flatMap((name) => ['--build-arg', `${name}=${base}`]);
    const npm = async (key: string) => (await run('npm', ['config', 'get', key])).stdout.trim();
    // What npm has kept of `npm ci` here is not asked for again; the rest comes by the same way as here.
    const npmrc = folder.path('npmrc');
    const authority = await npm('cafile');
    writeFileSync(npmrc, `prefer-offline=true\nregistry=${await npm('registry')}\n`);
    if (existsSync(authority)) appendFileSync(npmrc, 'cafile=/authority.pem\n');
    const kept = [
      ...['--volume', `${await npm('cache')}:/root/.npm`, '--volume', `${npmrc}:/root/.npmrc:ro`],
      ...(existsSync(authority) ? ['--volume', `${authority}:/authority.pem:ro`] : []),
    ];
    const build = ['--pull=never', '--layers=false', '--network', 'host', ...given, ...kept];
    await podman.within('node', 'packaging/image.mjs', '--tool', 'podman', '--', ...build);
    for (const name of ['etc', 'state']) mkdirSync(folder.path(name));
    chownSync(folder.path('state'), uid, uid);
    chmodSync(folder.path(), 0o711);
    // As install.md has it: of Asterisk's group, which the container gets, and so are new files.
    chmodSync(at.rig.asterisk.spoolFolder, 0o2770);
    await run('setfacl', ['-d', '-m', 'u::rwX,g::rwX,o::---', at.rig.asterisk.spoolFolder]);
    const config = parse(readFileSync(at.rig.configFile, 'utf8')) as Record<string, Record<string, unknown>>;
    writeFileSync(
      join(folder.path('etc'), 'preavis.yaml'),
      stringify({
        ...config,
        witness: {},
        recording: { ...config['recording'], spoolFolder: spoolInside },
        health: {},
        catalogue: {},
        archive: { store: 'directory', directory: { folder: '/var/lib/preavis/archive' } },
        schedule: {},
        shutdown: { graceSeconds: 30 },
      }),
      { mode: 0o644 },
    );
  }, buildLimitMs);

  afterEach(async () => {
    if (serve?.isRunning() === true) serve.signal('SIGKILL');
    await serve?.exited;
  });

  test('is of a user that is not root, has a health check, and says its version', async () => {
    const [{ Config, ...rest }] = inspected.parse(JSON.parse(await podman.run('image', 'inspect', image)));
    expect(Config).toMatchObject({
      User: `${uid}:${uid}`,
      Cmd: ['serve'],
      Volumes: { '/var/lib/preavis': {} },
      Labels: { 'org.opencontainers.image.version': version },
    });
    expect((rest.Healthcheck ?? rest.HealthCheck)?.Test[0]).toBe('CMD');
    expect(await preavis('--version')).toBe(`${version}\n`);
    const names = await podman.run('run', '--rm', '--entrypoint', 'ls', image, 'node_modules', '.');
    expect(names).toMatch(/^fastify$/m);
    expect(names).not.toMatch(/^(vite|typescript|jest|src|console)$/m);
  });

  test('says what is wrong, and makes the archive folder on its volume', async () => {
    const checked = await preavis('check').catch((error: unknown) => printed.parse(error).stdout);
    expect(checked).toMatch(/^ok {5}asterisk$/m);
    expect(checked).toMatch(/^ok {5}spool of this asterisk$/m);
    expect(checked).not.toMatch(/^WRONG/m);
    expect(existsSync(join(folder.path('state'), 'archive'))).toBe(true);
  });

  test('serves, and lets a call and its upload end when it is asked to end itself', async () => {
    serve = await podman.live(logFile(), ...options(), image);
    const health = `http://127.0.0.1:${at.rig.healthPort}`;
    await eventually(async () => {
      if (serve?.isRunning() !== true) throw new Error(readFileSync(logFile(), 'utf8'));
      expect((await fetch(`${health}/health`)).status).toBe(200);
    });
    expect(await serve.exec('id', '-u')).toBe(`${uid}\n`);
    expect(await serve.exec('grep', ' / ', '/proc/1/mounts')).toMatch(/^overlay \/ overlay ro,/);
    expect(await serve.exec('grep', 'CapEff', '/proc/1/status')).toMatch(/\b0{16}\b/);
    const call = await at.keep(
      placeCall({ sipPort: at.rig.asterisk.sipPort, to: '100', tone: await continuousTone(440) }),
    );
    await eventually(() => {
      expect(readFileSync(logFile(), 'utf8')).toContain('"to":"talking"');
    });
    serve.signal('SIGTERM');
    await eventually(() => {
      expect(readFileSync(logFile(), 'utf8')).toContain('stopping after calls and uploads');
    });
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(await serve.exited).toBe(0);
    const { recordings } = listed.parse(JSON.parse(await preavis('recordings', 'list', '--json')));
    expect(recordings).toHaveLength(1);
    expect(['recorded', 'archived']).toContain(recordings[0]?.status);
    expect(recordings[0]?.durationMs).toBeGreaterThan(talkMs - 600);
  });

  test('is run by Compose as config/compose.yaml says, and a call through it is archived', async () => {
    const environment = folder.path('compose.env');
    const override = folder.path('override.yaml');
    const socket = folder.path('engine');
    const { asterisk, healthPort } = at.rig;
    const secrets = [
      'MINIO_ROOT_USER',
      'MINIO_ROOT_PASSWORD',
      ...['ACCESS', 'SECRET'].map((kind) => `PREAVIS_ARCHIVE_MINIO_${kind}_KEY`),
    ];
    const given = [
      `ASTERISK_GID=${statSync(asterisk.spoolFolder).gid}`,
      `PREAVIS_ARI_PASSWORD=${asterisk.ariPassword}`,
      ...secrets.map((name) => `${name}=unused-here`),
    ];
    writeFileSync(environment, `${given.join('\n')}\n`, { mode: 0o600 });
    // Where this lab has what is at the place of a host, and what Podman cannot do: it has no log driver "local".
    const preavis = {
      environment: { PREAVIS_HEALTH_PORT: String(healthPort) },
      logging: { driver: 'k8s-file' },
      volumes: [
        `${folder.path('etc/preavis.yaml')}:/etc/preavis/preavis.yaml:ro`,
        `${asterisk.spoolFolder}:${spoolInside}`,
      ],
    };
    writeFileSync(override, stringify({ services: { preavis } }));
    const engine = await podman.engine(folder.path('engine.log'), socket);
    const files = ['-p', 'preavis', '-f', 'config/compose.yaml', '-f', override, '--env-file', environment];
    const compose = async (...args: string[]): Promise<string> =>
      (
        await run('docker-compose', [...files, ...args], {
          cwd: root,
          env: { PATH: process.env['PATH'], DOCKER_HOST: `unix://${socket}` },
        })
      ).stdout;
    const inside = (...args: string[]): Promise<string> => compose('exec', '-T', 'preavis', 'preavis', ...args);
    try {
      await eventually(() => existsSync(socket));
      await compose('up', '--detach', '--no-build', '--no-deps', 'preavis');
      await eventually(async () => {
        expect((await fetch(`http://127.0.0.1:${healthPort}/health`)).status).toBe(200);
      });
      const checked = await inside('check').catch((error: unknown) => printed.parse(error).stdout);
      expect(checked).not.toMatch(/^WRONG/m);
      const call = placeCall({ sipPort: asterisk.sipPort, to: '100', tone: await continuousTone(440) });
      expect(await (await at.keep(call)).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      await eventually(
        async () => {
          await inside('upload');
          const { recordings } = listed.parse(JSON.parse(await inside('recordings', 'list', '--json')));
          expect(recordings.map(({ status }) => status)).toEqual(['archived']);
        },
        { everyMs: 1_000 },
      );
      await compose('stop', 'preavis');
      expect(await compose('ps', '--all', '--format', 'json')).toMatch(/"ExitCode":0\b/);
    } finally {
      await engine.stop({ signal: 'SIGKILL' });
    }
  });
});
