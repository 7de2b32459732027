import { readConfigText, type ConfigFiles } from './statements.ts';

/** Whether an Asterisk refuses functions to a channel that Préavis had (docs/dialplan.md, Functions that Asterisk refuses). */

/** The first release of each branch that does: by major version, its minor version and patch. Later branches all do. */
const firstReleases: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  20: [20, 1],
  21: [12, 3],
  22: [10, 1],
  23: [4, 1],
};
const certified: Readonly<Record<string, number>> = { '20.7': 11, '22.8': 3 };
const lastBranch = 23;

/** @param version as Asterisk says it, such as `22.10.1~dfsg` or `certified-20.7-cert11` */
export function refusesByRelease(version: string): boolean {
  const [, release = '', certificate = ''] = /(\d+\.\d+)-cert(\d+)/.exec(version) ?? [];
  const firstCertificate = certified[release];
  if (firstCertificate !== undefined) return Number(certificate) >= firstCertificate;
  const [, major = '0', minor = '0', patch = '0'] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  const first = firstReleases[Number(major)];
  if (first === undefined) return Number(major) > lastBranch;
  const [firstMinor, firstPatch] = first;

  return Number(minor) > firstMinor || (Number(minor) === firstMinor && Number(patch) >= firstPatch);
}

/** Asterisk's own words for yes (main/utils.c, ast_true). */
const yes = /^(yes|true|y|t|1|on)$/i;

/** Whether this asterisk.conf lets everybody use them; false where there is none. Throws dialplan_unreadable. */
export async function livesDangerously(path: string, files: ConfigFiles): Promise<boolean> {
  if ((await files.read(path)) === undefined) return false;
  const { sections } = await readConfigText([path], files, true);
  const values = sections
    .filter(({ name }) => name === 'options')
    .flatMap(({ statements }) => statements.filter(({ name }) => name === 'live_dangerously'));

  return yes.test(values.at(-1)?.value.trim() ?? '');
}
