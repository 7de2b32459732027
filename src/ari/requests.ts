import * as z from 'zod';
import { asPreavisError } from '../core/errors.ts';
import type { BridgeId, ChannelId } from '../core/ids.ts';
import { asLocalName, endpointOfChannel, isHoldingType, timestamp, userEventNames, type UserTask } from './events.ts';
import { isThere, orUndefined, parse, reaches } from './answers.ts';
import { isDeadman } from './deadmanRequests.ts';
import type { AriRequest } from './httpClient.ts';
import type {
  AriClaims,
  AriCommands,
  AriEndpoints,
  AriPromptCommands,
  AriQueries,
  AriUserEvents,
  RecordingFormat,
} from './port.ts';

const id = encodeURIComponent;

const channelId = z.string().transform((text) => text as ChannelId);
const bridgeId = z.string().transform((text) => text as BridgeId);
const applicationLists = z.object({ channel_ids: z.array(channelId), bridge_ids: z.array(bridgeId) });
const bridgeList = z.array(
  z.object({ id: bridgeId, name: z.string(), bridge_type: z.string().default(''), channels: z.array(channelId) }),
);
/** Of what Asterisk counts. All but the packets come from the other end's RTCP reports, and are 0 without; older versions have no rxmes. */
const rtpStatistics = z.object({
  txcount: z.number(),
  txoctetcount: z.number().optional(),
  rxcount: z.number(),
  rxploss: z.number().default(0),
  remote_ssrc: z.number().default(0),
  rtt: z.number().default(0),
  remote_maxjitter: z.number().default(0),
  rxmes: z.number().default(0),
});
// Each is made once: to make one takes as long as hundreds of answers read by it.
const clockAnswer = z.object({ timestamp });
const soundAnswer = z.object({ formats: z.array(z.object({ language: z.string() })) });
const variableAnswer = z.object({ value: z.string() });
const bridgeAnswer = z.object({ channels: z.array(channelId) });
const liveRecording = z.object({ target_uri: z.string() });
const channelList = z.array(
  z.object({
    id: channelId,
    state: z.string(),
    name: z.string().default(''),
    dialplan: z.object({ app_name: z.string().default(''), app_data: z.string().default('') }).optional(),
  }),
);

/** Asterisk's clock at the moment when it answers, ms since 1970 UTC. */
export const askTime = async (request: AriRequest): Promise<number> =>
  parse(clockAnswer, await request('GET', '/asterisk/ping')).timestamp;

/** A file that is not there yet, for so long at most. */
const wavOnce = (name: string, maximumSeconds: number, format: RecordingFormat = 'wav') => ({
  name,
  format,
  ifExists: 'fail',
  maxDurationSeconds: String(maximumSeconds),
});

/**
 * The requests of ARI that Préavis uses, over `request`.
 *
 * @param peer the application of the other worker: whom the dialplan has sent on to it is not this one's any more, whatever Asterisk lists
 */
// eslint-disable-next-line max-lines-per-function -- The list of requests, each a few lines.
export function makeAriCommands(
  request: AriRequest,
  application: string,
  peer?: string,
): AriClaims & AriCommands & AriPromptCommands & AriQueries & AriUserEvents & AriEndpoints {
  const command = async (...args: Parameters<AriRequest>): Promise<void> => {
    await request(...args);
  };
  /** JSON leaves out what is undefined. */
  const userEvent = (to: string, task: UserTask, variables: Readonly<Record<string, string | undefined>>) =>
    command('POST', `/events/user/${id(userEventNames[task])}`, { application: to }, { variables });

  return {
    answer: (channelId) => command('POST', `/channels/${id(channelId)}/answer`),
    play: (channelId, playbackId, soundName, language) =>
      command('POST', `/channels/${id(channelId)}/play/${id(playbackId)}`, {
        media: `sound:${soundName}`,
        lang: language,
      }),
    playToBridge: (bridgeId, playbackId, soundName, language) =>
      command('POST', `/bridges/${id(bridgeId)}/play/${id(playbackId)}`, {
        media: `sound:${soundName}`,
        lang: language,
      }),
    stopPlayback: (playbackId) => command('DELETE', `/playbacks/${id(playbackId)}`),
    // Its name tells whose it is while nobody is in it: an application is not subscribed to an empty bridge.
    createBridge: (bridgeId) => command('POST', `/bridges/${id(bridgeId)}`, { type: 'mixing', name: application }),
    createChannel: (channelId, endpoint, originator, variables) =>
      command(
        'POST',
        '/channels/create',
        { endpoint, app: application, appArgs: 'destination', channelId, originator },
        { variables },
      ),
    watchBridge: (bridgeId) =>
      command('POST', `/applications/${id(application)}/subscription`, { eventSource: `bridge:${bridgeId}` }),
    followChannel: (channelId) =>
      command('POST', `/applications/${id(application)}/subscription`, { eventSource: `channel:${channelId}` }),
    snoop: (channelId, snoop, spy) =>
      command('POST', `/channels/${id(channelId)}/snoop/${id(snoop)}`, { spy, app: application }),
    whisper: (channelId, snoop) =>
      command('POST', `/channels/${id(channelId)}/snoop/${id(snoop)}`, { whisper: 'out', app: application }),
    addToBridge: (bridgeId, channelIds) =>
      command('POST', `/bridges/${id(bridgeId)}/addChannel`, { channel: channelIds.join(',') }),
    removeFromBridge: (bridgeId, channelId) =>
      command('POST', `/bridges/${id(bridgeId)}/removeChannel`, { channel: channelId }),
    dial: (channelId, caller, timeoutSeconds) =>
      command('POST', `/channels/${id(channelId)}/dial`, { caller, timeout: String(timeoutSeconds) }),
    ring: (channelId) => command('POST', `/channels/${id(channelId)}/ring`),
    ringStop: (channelId) => command('DELETE', `/channels/${id(channelId)}/ring`),
    playMusic: (channelId) => command('POST', `/channels/${id(channelId)}/moh`),
    stopMusic: (channelId) => command('DELETE', `/channels/${id(channelId)}/moh`),
    recordBridge: (bridgeId, name, maximumSeconds) =>
      command('POST', `/bridges/${id(bridgeId)}/record`, wavOnce(name, maximumSeconds)),
    pauseRecorder: (name) => command('POST', `/recordings/live/${id(name)}/pause`),
    resumeRecorder: (name) => command('DELETE', `/recordings/live/${id(name)}/pause`),
    stopRecorder: (name) => command('POST', `/recordings/live/${id(name)}/stop`),
    discardRecorder: async (name) => {
      // It may have ended before: what it left is a stored one.
      if (!(await isThere(request('DELETE', `/recordings/live/${id(name)}`))))
        await request('DELETE', `/recordings/stored/${id(name)}`);
    },
    hangUp: (channelId) => command('DELETE', `/channels/${id(channelId)}`, { reason: 'normal' }),
    setVariable: (channelId, variable, value) =>
      command('POST', `/channels/${id(channelId)}/variable`, { variable, value }),
    setGlobal: (variable, value) => command('POST', '/asterisk/variable', {}, { variable, value }),
    continueInDialplan: (channelId, at) =>
      command('POST', `/channels/${id(channelId)}/continue`, at === undefined ? undefined : { ...at, priority: '1' }),
    destroyBridge: (bridgeId) => command('DELETE', `/bridges/${id(bridgeId)}`),
    claim: (channelId) => command('POST', '/events/claim', { channelId, application }),
    ask: (task, call) => userEvent(application, task, { call }),
    passOn: (other, task, { call, channel, at }) => userEvent(other, task, { call, channel, passedOn: String(at) }),

    playTone: (channelId, playbackId, tones) =>
      command('POST', `/channels/${id(channelId)}/play/${id(playbackId)}`, { media: `tone:${tones}` }),
    playRecording: (channelId, playbackId, name) =>
      command('POST', `/channels/${id(channelId)}/play/${id(playbackId)}`, { media: `recording:${name}` }),
    recordChannel: (channelId, name, maximumSeconds, format) =>
      command('POST', `/channels/${id(channelId)}/record`, wavOnce(name, maximumSeconds, format)),

    identity: async () => {
      const { system } = parse(
        z.object({ system: z.object({ version: z.string(), entity_id: z.string().default('') }) }),
        await request('GET', '/asterisk/info', { only: 'system' }),
      );

      return { version: system.version, node: system.entity_id };
    },
    time: () => askTime(request),
    languagesOfSound: async (soundName) => {
      const sound = await orUndefined(request('GET', `/sounds/${id(soundName)}`));
      if (sound === undefined) return [];
      const { formats } = parse(soundAnswer, sound);
      return formats.map((format) => format.language);
    },
    variable: async (channelId, name) => {
      const answer = await orUndefined(request('GET', `/channels/${id(channelId)}/variable`, { variable: name }));
      return answer === undefined ? '' : parse(variableAnswer, answer).value;
    },
    owned: async () => {
      const [app, all] = await Promise.all([
        orUndefined(request('GET', `/applications/${id(application)}`)),
        request('GET', '/bridges'),
      ]);
      // Behind the bridges: who answers in between counts as one who has answered.
      const listed = parse(channelList, await request('GET', '/channels'));
      const lists = app === undefined ? { channel_ids: [], bridge_ids: [] } : parse(applicationLists, app);
      const inStasisOf = (wanted: string): Set<ChannelId> =>
        new Set(
          listed.flatMap(({ id, dialplan }) =>
            dialplan?.app_name === 'Stasis' && dialplan.app_data.split(',')[0] === wanted ? [id] : [],
          ),
        );
      const claimed = listed.filter(({ dialplan }) => dialplan?.app_name === 'StasisBroadcast').map((each) => each.id);
      const ofPeer = peer === undefined ? new Set<ChannelId>() : inStasisOf(peer);
      const isCall = (channel: ChannelId): boolean => !isDeadman(channel, application) && !ofPeer.has(channel);
      const states = new Map(
        listed.filter((each) => !isDeadman(each.id, application)).map((channel) => [channel.id, channel.state]),
      );

      return {
        channels: lists.channel_ids.filter(isCall),
        listed: states,
        // Whom this application has claimed, too: that one's name is not in the dialplan.
        waiting: new Set([...inStasisOf(application), ...claimed.filter((id) => lists.channel_ids.includes(id))]),
        localNames: new Map(
          listed.flatMap(({ id, name }) => {
            const local = asLocalName(name);
            return local === undefined ? [] : [[id, local]];
          }),
        ),
        bridges: parse(bridgeList, all).map((bridge) => ({
          id: bridge.id,
          isOurs: bridge.name === application || lists.bridge_ids.includes(bridge.id),
          isHolding: isHoldingType(bridge.bridge_type),
          members: bridge.channels.filter((channel) => states.has(channel)),
          answered: bridge.channels.filter((channel) => states.get(channel) === 'Up'),
        })),
      };
    },
    endpoints: async () =>
      new Map(
        parse(channelList, await request('GET', '/channels')).flatMap(({ id, name }) => {
          const endpoint = endpointOfChannel(name);
          return endpoint === undefined ? [] : [[id, endpoint]];
        }),
      ),
    channelsIn: async (bridgeId) => {
      const bridge = await orUndefined(request('GET', `/bridges/${id(bridgeId)}`));
      if (bridge === undefined) return [];

      return parse(bridgeAnswer, bridge).channels;
    },
    rtp: async (channel) => {
      // Of a kind of channel that has no RTP it says 403. A user who may not ask would not have come so far.
      const asked = request('GET', `/channels/${id(channel)}/rtp_statistics`).catch((thrown: unknown) => {
        if (asPreavisError(thrown).code === 'ari_unauthorized') return undefined;
        throw thrown;
      });
      const found = await orUndefined(asked);
      if (found === undefined) return undefined;
      const statistics = parse(rtpStatistics, found);
      const {
        txcount,
        txoctetcount,
        rxcount,
        rtt,
        remote_maxjitter: jitter,
        rxmes,
        remote_ssrc: ssrc,
        rxploss: lost,
      } = statistics;
      const reported = rtt > 0 || jitter > 0 || rxmes > 0 ? `${rtt} ${jitter} ${rxmes}` : '';

      const source = rxcount > 0 ? { ssrc, lost } : undefined;

      return { sentPackets: txcount, sentBytes: txoctetcount, receivedPackets: rxcount, reported, source };
    },
    refusedQuestions: async (nobody) => {
      const path = `/channels/${id(nobody)}`;
      const [statistics, variable] = await Promise.all([
        reaches(request('GET', `${path}/rtp_statistics`)),
        reaches(request('GET', `${path}/variable`, { variable: 'CHANNEL(rtp,hold)' })),
      ]);

      return [...(statistics ? [] : ['rtp_statistics']), ...(variable ? [] : ['CHANNEL(rtp,hold)'])];
    },
    isThere: (channelId) => isThere(request('GET', `/channels/${id(channelId)}`)),
    hasRecording: (name) => isThere(request('GET', `/recordings/stored/${id(name)}`)),
    hasModule: (name) => isThere(request('GET', `/asterisk/modules/${id(name)}`)),
    isRecording: (name) => isThere(request('GET', `/recordings/live/${id(name)}`)),
    recordedBridge: async (name) => {
      const live = await orUndefined(request('GET', `/recordings/live/${id(name)}`));
      const [, bridge] = live === undefined ? [] : (/^bridge:(.+)$/.exec(parse(liveRecording, live).target_uri) ?? []);

      return bridge as BridgeId | undefined;
    },
  };
}
