import { makePlanner, type Planner, type PlannerPorts } from '../../../src/call/plan/planner.ts';
import type { OtherWorker } from '../../../src/call/registry/otherWorker.ts';
import { CallRegistry } from '../../../src/call/registry/registry.ts';
import type { ExtensionKeeper } from '../../../src/call/watch/extensionWatch.ts';
import type { TimelineEntry } from '../../../src/call/watch/timeline.ts';
import type { LanguagePreferences } from '../../../src/call/plan/preferences.ts';
import type { UnreadableCall } from '../../../src/call/session/journal.ts';
import type { CallState } from '../../../src/call/decide/state.ts';
import type { Order } from '../../../src/call/decide/order.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { type CallId, type ChannelId, type PlaybackId, type RecordingId } from '../../../src/core/ids.ts';
import { callStart, countingIds } from './calls.ts';
import { collectingLog } from '../logLines.ts';
import { aPolicy } from '../policy/policies.ts';
import { eventually } from '../poll.ts';
import { scriptedAri, type ScriptedAri } from '../ari/scriptedAri.ts';

export const ulid = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const registries: CallRegistry[] = [];

/** With their timers: for behind each test. */
export async function endRegistries(): Promise<void> {
  await Promise.all(registries.splice(0).map((registry) => registry.abandon()));
}

/** Plans calls of a scripted Asterisk by this policy, keeps no caller and leaves none out by lot. */
export const plannerOf = ({
  ari,
  ...ports
}: Pick<PlannerPorts, 'policy' | 'preferences' | 'ids' | 'log'> & { ari: ScriptedAri }): Planner =>
  makePlanner({
    ...ports,
    earlier: { heardBy: () => Promise.resolve([]) },
    callers: { keep: () => Promise.resolve() },
    dialled: undefined,
    variable: (...args) => ari.variable(...args),
    random: () => 0,
  });

/** A registry on a scripted Asterisk, and what it did there and kept. */
export function stage({
  open = [] as (CallState | UnreadableCall)[],
  /** Of another serve. */
  ofOthers = [] as CallState[],
  policy = aPolicy(),
  /** Our clock. */
  clockNow = callStart,
  saveFails = undefined as ((state: CallState) => boolean) | undefined,
  unfinished = (): Promise<RecordingId[]> => Promise.resolve([]),
  watchesBridges = true,
  extensions = undefined as ExtensionKeeper | undefined,
  /** The application, where there are two workers. */
  worker = undefined as string | undefined,
  otherWorker = undefined as OtherWorker | undefined,
  /** Of channels: `channel NAME`. */
  variables = {},
} = {}) {
  const ari = scriptedAri();
  Object.assign(ari.state.variables, variables);
  for (const call of open) {
    if (call.kind === 'unreadable' || call.facts.order === undefined) continue;
    const { bridge, destination } = call.facts.order;
    ari.state.inBridge[bridge] = [call.facts.callerChannel, destination];
  }
  const ids = countingIds();
  const { log, lines, text } = collectingLog();
  const ended: CallState[] = [];
  const ahead: number[] = [];
  const saved: CallState[] = [];
  const kept: ({ id: CallId } & TimelineEntry)[] = [];
  let keeps = Promise.resolve();
  const orders: Order[] = [];
  const remembered: [string, string][] = [];
  const preferences: LanguagePreferences = {
    find: () => Promise.resolve(undefined),
    remember: (number, language) => {
      remembered.push([number, language]);
      return Promise.resolve();
    },
  };
  const planner = plannerOf({ policy, preferences, ari, ids, log });
  const registry = new CallRegistry({
    ari,
    log,
    clock: { now: () => clockNow },
    clockIsOff: (aheadMs) => {
      ahead.push(aheadMs);
    },
    journal: {
      save: (state) => {
        if (saveFails?.(state) === true) return Promise.reject(new PreavisError('catalogue_unusable', 'no room'));
        saved.push(state);
        return Promise.resolve();
      },
      addToTimeline: (id, happening) => {
        kept.push({ id, ...happening });
        return keeps;
      },
      open: () => Promise.resolve(open),
      openOfOthers: () => Promise.resolve(ofOthers),
      endUnreadable: (id) => {
        ari.asked.push(`endUnreadable ${id}`);
        return Promise.resolve();
      },
    },
    readiness: {
      check: (order) => {
        orders.push(order);
        return Promise.resolve('ready');
      },
    },
    planner,
    worker,
    otherWorker,
    extensions,
    preferences,
    policy,
    ids,
    watchesBridges: () => watchesBridges,
    watch: { until: callStart + 1_000 },
    unfinished: () => unfinished(),
    asterisk: () => ({ version: '22.5.2', node: 'test' }),
    legUnheard: () => undefined,
    callEnded: (state) => {
      ended.push(state);
    },
  });
  registries.push(registry);
  const asked = (command: string): string[] => ari.asked.filter((each) => each.startsWith(`${command} `));
  const [outcomes, kinds] = [
    () => ended.map((state) => (state.kind === 'ended' ? state.outcome : undefined)),
    () => saved.map((state) => state.kind),
  ];

  const holdKeeping = (): void => {
    keeps = new Promise(() => undefined);
  };

  return {
    registry,
    ari,
    ahead,
    ended,
    outcomes,
    kinds,
    saved,
    kept,
    orders,
    remembered,
    lines,
    text,
    asked,
    holdKeeping,
  };
}

export const arrival = (channel: string, args: string[], callerNumber = '') => ({
  type: 'channelArrived' as const,
  at: callStart,
  channelId: channel as ChannelId,
  args,
  callerNumber,
  language: 'en',
  replaces: undefined as ChannelId | undefined,
});

/** What is asked for again whenever a call is compared, whether somebody holds or not. */
export const isNoHold = (request: string): boolean => !/^(?:resumeRecorder|stopMusic) /.test(request);

/** Lets the notice of the only call be heard; the ids are those that Asterisk was asked to use. */
export async function hearNotice({ registry, asked }: ReturnType<typeof stage>): Promise<void> {
  for (let sentence = 0; sentence < 2; sentence += 1) {
    await eventually(() => asked('play').length === sentence + 1);
    const playbackId = asked('play').at(-1)?.split(' ')[2] as PlaybackId;
    registry.handle({ type: 'playbackStarted', playbackId, at: callStart + 2_000 * sentence });
    registry.handle({
      type: 'playbackFinished',
      playbackId,
      at: callStart + 2_000 * sentence + 1_000,
      outcome: 'done',
    });
  }
}

/** The same, until the destination is dialled. */
export async function hear(set: ReturnType<typeof stage>): Promise<void> {
  await hearNotice(set);
  await eventually(() => set.asked('dial').length === 1);
}
