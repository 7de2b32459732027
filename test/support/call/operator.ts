/** Another application beside Préavis, as an operator may run one: sees all that Asterisk reports, and can meddle. */
import { WebSocket } from 'ws';
import type { Rig } from '../../../lab/rig.ts';
import { countsSince } from '../rig/aside.ts';
import { eventually } from '../poll.ts';

type Seen = {
  type: string;
  timestamp: string;
  channel?: { id: string; name: string; caller: { number: string }; dialplan?: { exten: string } };
  playback?: { id: string; language: string; media_uri: string; target_uri: string };
  bridge?: { id: string };
  recording?: { name: string; target_uri: string };
  peer?: { id: string };
  dialstatus?: string;
  digit?: string;
};

export type Operator = {
  seen: readonly Seen[];
  /** The channel of the call that came in by this extension. */
  channelOf(extension: string): string;
  /** Waits for the playback of a prompt to this extension's caller to begin (or to end); its id. */
  playing(extension: string, prompt: string, options?: { language?: string; ended?: boolean }): Promise<string>;
  /** Waits for the destination of this extension's call to ring, or to answer. */
  dialled(extension: string, status: 'RINGING' | 'ANSWER'): Promise<string>;
  /** A request to ARI; the parsed answer, undefined where it is empty. */
  request(method: string, path: string): Promise<unknown>;
  close(): void;
};

/** Of an event, Unix time in ms. Asterisk writes +0000 where others write +00:00. */
export const timeOf = (timestamp: string): number => Date.parse(timestamp.replace(/(\d\d)$/, ':$1'));

export async function startOperator(rig: Rig): Promise<Operator> {
  const { ariUrl, ariUsername, ariPassword } = rig.asterisk;
  const query = `api_key=${ariUsername}:${ariPassword}&app=operator&subscribeAll=true`;
  const socket = new WebSocket(`${ariUrl.replace('http', 'ws')}/ari/events?${query}`);
  const seen: Seen[] = [];
  // What is asked for again and again while many calls are made, by what it is looked for.
  const latest = new Map<string, Seen>();
  const playbacks = new Map<string, Seen[]>();
  const entered: Seen[] = [];
  const dials: Seen[] = [];
  const note = (event: Seen): void => {
    seen.push(event);
    const extension = event.channel?.dialplan?.exten;
    if (event.type === 'ChannelCreated' && extension !== undefined) latest.set(extension, event);
    if (event.type === 'ChannelEnteredBridge') entered.push(event);
    if (event.type === 'Dial') dials.push(event);
    const target = event.playback?.target_uri;
    if (target !== undefined) playbacks.set(target, [...(playbacks.get(target) ?? []), event]);
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => {
      resolve();
    });
    socket.on('message', (data: Buffer) => {
      note(JSON.parse(data.toString()) as Seen);
    });
  });
  const authorization = `Basic ${btoa(`${ariUsername}:${ariPassword}`)}`;

  const channelOf = (extension: string): string => {
    const created = latest.get(extension);
    if (created?.channel === undefined || timeOf(created.timestamp) < countsSince(rig, extension)) {
      throw new Error(`nobody called ${extension}`);
    }

    return created.channel.id;
  };
  const awaited = (what: string, extension: string, find: (channel: string) => string | undefined): Promise<string> =>
    eventually(() => {
      const found = find(channelOf(extension));
      if (found === undefined) throw new Error(`not seen: ${what} for ${extension}`);
      return found;
    });
  return {
    seen,
    channelOf,
    playing: (extension, prompt, { language, ended = false } = {}) =>
      awaited(`${prompt} ${language ?? ''}`, extension, (channel) => {
        const event = playbacks
          .get(`channel:${channel}`)
          ?.find(
            ({ type, playback }) =>
              type === (ended ? 'PlaybackFinished' : 'PlaybackStarted') &&
              playback?.media_uri.startsWith(`sound:preavis/${prompt}-`) === true &&
              (language === undefined || playback.language === language),
          );
        return event?.playback?.id;
      }),
    dialled: (extension, status) =>
      awaited(status, extension, (channel) => {
        const bridge = entered.findLast((entry) => entry.channel?.id === channel)?.bridge?.id;
        const peers = entered.filter((entry) => entry.bridge?.id === bridge).map((entry) => entry.channel?.id);
        const event = dials.find(({ peer, dialstatus }) => dialstatus === status && peers.includes(peer?.id));
        return bridge === undefined ? undefined : event?.peer?.id;
      }),
    request: async (method, path) => {
      const reply = await fetch(`${ariUrl}/ari${path}`, { method, headers: { authorization } });
      const text = await reply.text();
      if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    },
    close: () => {
      socket.close();
    },
  };
}
