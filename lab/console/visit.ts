/** The console as a browser that has no eyes asks for it: whether it is there, shows calls, and hands out their sound. */
import { createHash } from 'node:crypto';

export type Visit = {
  /** How many calls its list has, up to a page of it. */
  calls: number;
  /** Of the sound, as it came in parts. */
  bytes: number;
  sha256: string;
};

/** A part of the sound, as a player asks for it, bytes. */
const partBytes = 64 * 1_024;

async function answered(
  url: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const answer = await fetch(url, { headers, redirect: 'manual' });
  // Without what the link had, which is a secret.
  if (answer.status !== status) throw new Error(`${new URL(url).origin} answered ${answer.status} and not ${status}.`);

  return answer;
}

/**
 * Signs in by a link of the door, opens the page with its scripts and styles, and listens to one recording to its end, part by part.
 * @throws Error where something of it is not there, and where the link can be used twice
 */
export async function visitConsole(link: string, recording: string): Promise<Visit> {
  const opened = await answered(link, 303);
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  const page = opened.headers.get('location') ?? '';
  const console = new URL(page).origin;
  await (await answered(link, 410)).arrayBuffer();
  const html = await (await answered(page, 200)).text();
  for (const [, path = ''] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g))
    await (await answered(`${console}${path}`, 200)).arrayBuffer();
  const listed = (await (await answered(`${console}/api/v1/calls`, 200, { cookie })).json()) as { calls: unknown[] };
  const parts: Buffer[] = [];
  let [at, total] = [0, 1];
  while (at < total) {
    const range = `bytes=${at}-${at + partBytes - 1}`;
    const part = await answered(`${console}/api/v1/recordings/${recording}/audio`, 206, { cookie, range });
    const bytes = Buffer.from(await part.arrayBuffer());
    total = Number(part.headers.get('content-range')?.split('/')[1]);
    if (bytes.length === 0 || !Number.isFinite(total)) throw new Error(`The sound ends at ${at} bytes.`);
    parts.push(bytes);
    at += bytes.length;
  }
  const sound = Buffer.concat(parts);

  return { calls: listed.calls.length, bytes: sound.length, sha256: createHash('sha256').update(sound).digest('hex') };
}
