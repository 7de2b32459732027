/** Whose work is in the package, and under which licence: of every npm package that `serve` needs, bundled in dist/ or beside it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const lockSchema = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      dev: z.boolean().optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
type Lock = z.infer<typeof lockSchema>['packages'];

export function readLock(root: string): Lock {
  return lockSchema.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))).packages;
}

/** Where Node finds `name` from the package at `from`; undefined for one that is not installed. */
function placeOf(lock: Lock, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (lock[place] !== undefined) return place;
    if (folder === '') return undefined;
  }
}

/** These packages and what they need, as paths from the root of the checkout. `left`: names that are not followed. */
export function closureOf(lock: Lock, names: readonly string[], left: readonly string[] = []): string[] {
  const found = new Set<string>();
  const follow = (from: string, name: string): void => {
    if (left.includes(name)) return;
    const place = placeOf(lock, from, name);
    if (place === undefined || found.has(place)) return;
    found.add(place);
    const { dependencies, optionalDependencies } = lock[place] ?? {};
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) follow(place, each);
  };
  for (const name of names) follow('', name);

  return [...found].toSorted();
}

/** Every package that is not for development alone. */
export function productionPackages(lock: Lock): string[] {
  return Object.keys(lock).filter((place) => place !== '' && lock[place]?.dev !== true);
}

const licenceFile = /^(licen[cs]e|copying|notice)/i;

const manifestSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  license: z.unknown().optional(),
  licenses: z.unknown().optional(),
  author: z.unknown().optional(),
});

function nameOfLicence(licence: unknown): string {
  if (typeof licence === 'string') return licence;
  if (Array.isArray(licence)) return licence.map(nameOfLicence).join(' or ');
  if (typeof licence === 'object' && licence !== null && 'type' in licence) return String(licence.type);

  return 'not named in its package.json';
}

/** The licences of these packages in one text, for people. */
export function licenceText(root: string, places: readonly string[], ofConsole: string): string {
  const sections = places.map((place) => {
    const folder = join(root, place);
    const { name, version, license, licenses, author } = manifestSchema.parse(
      JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
    );
    const texts = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && licenceFile.test(entry.name))
      .map((entry) => readFileSync(join(folder, entry.name), 'utf8').trim());
    const by = typeof author === 'string' ? `\nAuthor: ${author}` : '';

    return `${name} ${version}\nLicence: ${nameOfLicence(license ?? licenses)}${texts.length === 0 ? by : `\n\n${texts.join('\n\n')}`}`;
  });
  const line = `\n\n${'-'.repeat(78)}\n\n`;

  return `${['Packages of npm that are part of Préavis, with their licences.', ...sections, `Part of the console:\n\n${ofConsole.trim()}`].join(line)}\n`;
}
