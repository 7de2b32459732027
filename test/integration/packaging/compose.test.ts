import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { loadConfig } from '../../../src/config/load.ts';
import { defaultConfigFile } from '../../../src/cli/context.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** config/compose.yaml as Compose itself understands it, and compared with the product. */

const root = join(import.meta.dirname, '..', '..', '..');
const file = join(root, 'config', 'compose.yaml');
const text = readFileSync(file, 'utf8');
const { version } = z
  .looseObject({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
const folder = temporaryFolder();

const service = z.looseObject({
  image: z.string(),
  environment: z.record(z.string(), z.string()),
  volumes: z.array(
    z.looseObject({ type: z.string(), source: z.string(), target: z.string(), read_only: z.boolean().optional() }),
  ),
});
const understood = z.looseObject({ services: z.looseObject({ minio: service, preavis: service }) });

/** The names that the head of the file gives to the operator. */
const names = [...text.matchAll(/^# {5}([A-Z_]+)=/gm)].map(([, name = '']) => name);
const environmentFile = (given: readonly string[]): string => {
  const path = folder.path('compose.env');
  writeFileSync(path, given.map((name) => `${name}=${name === 'ASTERISK_GID' ? '112' : 'a-long-secret'}\n`).join(''));

  return path;
};

const commands = [['docker-compose'], ['docker', 'compose']];
const compose = commands.find(([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0);
function config(given: readonly string[] = names) {
  const [command = '', ...args] = compose ?? [];
  const how = [...args, '-f', file, '--env-file', environmentFile(given), 'config', '--format', 'json'];

  return spawnSync(command, how, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
}

if (compose === undefined) process.stderr.write('compose.test: not run: node lab/prepare.mjs --with image\n');
const withCompose = compose === undefined ? test.skip : test;

withCompose('Compose takes the file with the variables that its head names, and refuses it without one of them', () => {
  expect(names).toHaveLength(6);
  expect(config().stderr).toBe('');
  for (const name of names) {
    const { status, stderr } = config(names.filter((each) => each !== name));
    expect({ name, refused: status !== 0, told: stderr.includes(name) }).toEqual({ name, refused: true, told: true });
  }
});

withCompose('Compose runs Préavis as the image is meant to be run', async () => {
  const { preavis, minio } = understood.parse(JSON.parse(config().stdout)).services;
  expect(preavis).toMatchObject({
    image: `preavis:${version}`,
    network_mode: 'host',
    group_add: ['112'],
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    stop_grace_period: '1m30s',
  });
  expect(preavis).not.toHaveProperty('privileged');
  expect(preavis).not.toHaveProperty('user');
  expect(minio.image).toMatch(/:RELEASE\./);
  const { recording, catalogue, shutdown } = await loadConfig(
    join(root, 'config', 'preavis.yaml'),
    preavis.environment,
  );
  const at = new Map(preavis.volumes.map((volume) => [volume.target, volume]));
  expect(at.get(defaultConfigFile)).toMatchObject({ source: defaultConfigFile, read_only: true });
  expect(at.get(recording.spoolFolder)).toMatchObject({ source: recording.spoolFolder, type: 'bind' });
  expect(catalogue.file.startsWith('/var/lib/preavis/')).toBe(true);
  expect(at.get('/var/lib/preavis')).toMatchObject({ type: 'volume' });
  expect(90).toBeGreaterThan(shutdown.graceSeconds + 10);
});
