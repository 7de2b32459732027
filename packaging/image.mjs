/**
 * Builds the image of this checkout, as preavis:VERSION.
 *
 *   npm run package:image                                        by docker, podman or buildah, whichever is here
 *   npm run package:image -- --tool podman                       by this one
 *   npm run package:image -- -- --build-arg NODE=24 --no-cache   the rest goes to `build` as it is
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const tools = ['docker', 'podman', 'buildah'];

/** A client of Docker without its engine builds nothing. */
const works = (tool) => spawnSync(tool, ['info'], { stdio: 'ignore' }).status === 0;

function complain(text) {
  process.stderr.write(`image: ${text}\n`);
  return 2;
}

function main() {
  const { values, positionals } = parseArgs({ options: { tool: { type: 'string' } }, allowPositionals: true });
  const tool = values.tool ?? tools.find(works);
  if (tool === undefined) return complain(`none of ${tools.join(', ')} works here. Install one, and run this again.`);
  if (!tools.includes(tool)) return complain(`--tool ${tool}: known are ${tools.join(', ')}.`);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  // Images of the OCI's format have no health check.
  const format = tool === 'docker' ? [] : ['--format', 'docker'];
  const args = [
    'build',
    ...format,
    '--build-arg',
    `VERSION=${version}`,
    '--tag',
    `preavis:${version}`,
    ...positionals,
    '.',
  ];
  const { status, error } = spawnSync(tool, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) return complain(`${tool} cannot be run (${error.code}).`);
  if (status === 0) process.stdout.write(`image: preavis:${version} was built by ${tool}.\n`);

  return status === 0 ? 0 : 1;
}

process.exitCode = main();
