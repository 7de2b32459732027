/**
 * Where the time of `serve` goes, by the profiles that `npm run bench:peers -- --cpu-prof FOLDER` leaves there:
 * `npm run bench:shares -- FOLDER [--from SECONDS]`. What waits for the disk counts as well.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { byRoom, sharesOf, type Locate, type Profile, type Share } from './peers/shares.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** s: what comes before is the start and the warm-up. */
    from: { type: 'string', default: '0' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('Give the folder with the profiles.');

const root = fileURLToPath(new URL('..', import.meta.url));
const shown = 15;

type Mapped = { map: SourceMap; beside: string };
const maps = new Map<string, Mapped | undefined>();

function mapOf(url: string): Mapped | undefined {
  const file = `${fileURLToPath(url)}.map`;
  const payload = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SourceMap['payload']) : undefined;

  return payload && { map: new SourceMap(payload), beside: url };
}

/** By the source maps of the build. */
const locate: Locate = ({ url, lineNumber, columnNumber }) => {
  if (!url.startsWith('file:')) return undefined;
  if (!maps.has(url)) maps.set(url, mapOf(url));
  const mapped = maps.get(url);
  const entry = mapped?.map.findEntry(lineNumber, columnNumber);
  const source = entry !== undefined && 'originalSource' in entry ? entry.originalSource : undefined;

  return relative(root, fileURLToPath(source === undefined ? url : new URL(source, mapped?.beside)));
};

const lines = (shares: readonly Share[]): string =>
  shares
    .slice(0, shown)
    .map(({ what, ms, part }) => `${(100 * part).toFixed(1).padStart(6)} %  ${ms.toFixed(0).padStart(7)} ms  ${what}`)
    .join('\n');

for (const name of readdirSync(folder).filter((each) => each.endsWith('.cpuprofile'))) {
  const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile;
  const shares = sharesOf(profile, locate, Number(values.from));
  console.log(`${name}\n${lines(byRoom(shares))}\n\nby file\n${lines(shares)}\n`);
}
