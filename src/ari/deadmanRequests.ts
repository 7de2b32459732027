import * as z from 'zod';
import type { BridgeId, ChannelId } from '../core/ids.ts';
import { orUndefined, parse, reaches } from './answers.ts';
import type { AriEvent } from './events.ts';
import type { AriRequest } from './httpClient.ts';
import type { AriDeadman } from './port.ts';

/** The requests about the dead-man channel (deadman.ts), and the names that the include file of the dialplan knows it by. */

const id = encodeURIComponent;

/** Its context, with the extensions `s`, which answers and waits, and `h`, which ends recorders. */
const context = 'preavis-deadman';
const endpoint = `Local/s@${context}/n`;
/** Only with this variable does its end end recorders. */
const armed = { PREAVIS_DEADMAN: 'armed' };
/** A hangup for this reason (cause 17, which nothing else gives it) ends none. */
const letGo = 'busy';
/** Where `h` notes when it has ended recorders, Unix time in s. */
const endedVariable = 'PREAVIS_DEADMAN_ENDED';

const endsAfter = (seconds: number) => ({ 'TIMEOUT(absolute)': String(seconds), 'CDR_PROP(disable)': '1' });

/** One serve, or either of two workers of it: each tells the recorders of the others from a stranger's. */
function relativesOf(application: string): readonly string[] {
  const base = application.replace(/-[ab]$/, '');

  return [application, base, `${base}-a`, `${base}-b`];
}

const prefixOf = (application: string): string => `${application}-deadman-`;

/**
 * Each catalogue has one, of a name that the next process finds as well: who has taken over the application with another catalogue
 * watches its own calls alone.
 */
export const deadmanOf = (application: string, catalogue: string): ChannelId =>
  `${prefixOf(application)}${catalogue}` as ChannelId;

/** Is known by its name as well: no call. */
export const deadmanTrialOf = (application: string, trial: ChannelId): ChannelId =>
  `${prefixOf(application)}trial-${trial}` as ChannelId;

/** Also of another catalogue, and the other half of the Local channel, which runs the dialplan. */
export const isDeadman = (channel: string, application: string): boolean => channel.startsWith(prefixOf(application));

export const tellsOfDeadman = (event: AriEvent, application: string): boolean =>
  'channelId' in event && isDeadman(event.channelId, application);

const bridgeList = z.array(
  z.object({
    id: z.string().transform((text) => text as BridgeId),
    name: z.string(),
    bridge_class: z.string().default(''),
    technology: z.string().default(''),
    channels: z.array(z.string()),
  }),
);
const channelList = z.array(z.object({ id: z.string() }));
const application = z.object({
  channel_ids: z.array(z.string()),
  bridge_ids: z.array(z.string()),
  endpoint_ids: z.array(z.string()).default([]),
  device_names: z.array(z.string()).default([]),
});

export function makeDeadmanCommands(request: AriRequest, app: string): AriDeadman {
  const originate = async (
    channel: ChannelId,
    to: Record<string, string>,
    variables: Record<string, string>,
  ): Promise<void> => {
    await request('POST', `/channels/${id(channel)}`, { endpoint, ...to }, { variables });
  };

  const renew = (channel: ChannelId, seconds: number) =>
    request('POST', `/channels/${id(channel)}/variable`, { variable: 'TIMEOUT(absolute)', value: String(seconds) });

  return {
    createDeadman: (channel, seconds) =>
      originate(channel, { app, appArgs: 'deadman' }, { ...armed, ...endsAfter(seconds) }),
    renewDeadman: async (channel, seconds) => {
      await renew(channel, seconds);
    },
    reachesRenewal: (trial, seconds) => reaches(renew(trial, seconds)),
    releaseDeadman: async (channel) => {
      await request('DELETE', `/channels/${id(channel)}`, { reason: letGo });
    },
    deadmanEndedAt: async () => {
      const value = await globalVariable(endedVariable, request);

      return /^\d{1,12}$/.test(value) ? Number(value) * 1_000 : undefined;
    },
    stateOf: async (which) => {
      const found = await orUndefined(request('GET', `/channels/${id(which)}`));

      return found === undefined ? undefined : parse(z.object({ state: z.string() }), found).state;
    },
    tryContext: (trial, seconds) => originate(trial, { context, extension: 's', priority: '1' }, endsAfter(seconds)),
    tryApplication: (trial, seconds) => originate(trial, { app, appArgs: 'trial' }, endsAfter(seconds)),
    endTrial: async (trial) => {
      await orUndefined(request('DELETE', `/channels/${id(trial)}`, { reason: 'normal' }));
    },
    application: async () => {
      const found = await orUndefined(request('GET', `/applications/${id(app)}`));
      if (found === undefined) return 'free';
      const under = Object.values(parse(application, found)).flat();
      if (under.length === 0) return 'empty';

      return under.every((each) => isDeadman(each, app)) ? 'deadman' : 'inUse';
    },
    foreignRecorders: async () => {
      const [found, bridges] = await Promise.all([
        orUndefined(request('GET', `/applications/${id(app)}`)),
        request('GET', '/bridges'),
      ]);
      const ours = found === undefined ? [] : parse(application, found).bridge_ids;
      const listed = new Set(parse(channelList, await request('GET', '/channels')).map((each) => each.id));

      return parse(bridgeList, bridges)
        .filter(({ bridge_class: kind, name, id: bridge }) => {
          const isOurs = relativesOf(app).includes(name) || ours.includes(bridge);

          return kind === 'stasis' && !isOurs;
        })
        .filter((bridge) => hasHidden(bridge, listed))
        .map((bridge) => bridge.id);
    },
  };
}

/** Whether a channel is in it that ARI hides. ConfBridge and others have such channels of their own, which no dead-man channel ends. */
function hasHidden(
  { channels, technology }: z.output<typeof bridgeList>[number],
  listed: ReadonlySet<string>,
): boolean {
  // Seen on 22.10: ARI hides Asterisk's own channels, but two members are mixed as three or more are.
  return (channels.length <= 2 && technology === 'softmix') || channels.some((member) => !listed.has(member));
}

const variableAnswer = z.object({ value: z.string() });

/** Of a global variable of the dialplan; empty where it has none. Throws ari_unreachable and ari_request_failed. */
export async function globalVariable(variable: string, request: AriRequest): Promise<string> {
  const answer = await orUndefined(request('GET', '/asterisk/variable', { variable }));

  return answer === undefined ? '' : parse(variableAnswer, answer).value;
}
