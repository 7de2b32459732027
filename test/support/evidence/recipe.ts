import { execFile } from 'node:child_process';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const tools = ['unzip', 'openssl', 'sha256sum', 'jq'] as const;

/** A folder with the programs that the recipe may use, and no other. Throws, with what to install, where one is missing. */
export async function recipeTools(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const tool of tools) {
    const found = await run('which', [tool]).catch((cause: unknown) => {
      throw new Error(`${tool} is missing: apt-get install unzip openssl coreutils jq`, { cause });
    });
    await symlink(found.stdout.trim(), `${folder}/${tool}`);
  }

  return folder;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** The commands as they stand in a page, and are copied from it: one text for each step. */
export const commandsIn = (page: string): string[] =>
  Array.from(page.matchAll(/<pre><code>(.*?)<\/code><\/pre>/gs), ([, commands = '']) =>
    commands.replace(/&([a-z]+|#39);/g, (_whole, name: string) => entities[name] ?? ''),
  );

/** The same of a document in Markdown. */
export const fencedIn = (document: string): string[] =>
  Array.from(document.matchAll(/^```bash\n(.*?)\n```$/gms), ([, commands = '']) => commands);

export type Followed = {
  /** What was found, without the word before it. */
  ok: string[];
  not: string[];
  printed: string;
};

/**
 * Does what a reader of the page does: puts in the id and copies every command into bash.
 *
 * @param folder a new one
 * @param authority the certificate of the time-stamping authority
 */
export async function follow(
  commands: readonly string[],
  given: { zip: string; published: string; folder: string; tools: string; authority?: string },
): Promise<Followed> {
  const { zip, published, folder, authority } = given;
  await mkdir(folder, { recursive: true });
  await copyFile(zip, `${folder}/call.zip`);
  if (authority !== undefined) await copyFile(authority, `${folder}/authority.pem`);
  const script = commands.join('\n').replace('PUBLISHED= ', `PUBLISHED=${published} `);
  expect(script).toContain(`PUBLISHED=${published} `);
  const printed = await new Promise<string>((resolve) => {
    execFile(
      '/bin/bash',
      ['--noprofile', '--norc', '-c', script],
      { cwd: folder, env: { PATH: given.tools, HOME: folder }, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 },
      (_error, stdout, stderr) => {
        resolve(stdout + stderr);
      },
    );
  });
  const linesOf = (word: string): string[] =>
    printed.split('\n').flatMap((line) => (line.startsWith(word) ? [line.slice(word.length)] : []));

  return { ok: linesOf('OK   '), not: linesOf('NOT  '), printed };
}
