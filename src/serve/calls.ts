import { setTimeout as sleep } from 'node:timers/promises';
import { flagEndedUnwatched } from '../archive/finish/endedUnwatched.ts';
import { discardFilesIn } from '../archive/finish/discardFiles.ts';
import { unfinishedIn } from '../archive/finish/spool.ts';
import type { AriConnection } from '../ari/connection.ts';
import { Deadman } from '../ari/deadman.ts';
import { deadmanOf, deadmanTrialOf } from '../ari/deadmanRequests.ts';
import type { NamedAsterisk } from '../ari/port.ts';
import { makeCallerKeeper } from '../call/plan/callerStore.ts';
import { makePlanner } from '../call/plan/planner.ts';
import { makeEarlierNotices } from '../call/plan/earlierNotices.ts';
import { makePreferences } from '../call/plan/preferences.ts';
import { makeReadiness } from '../call/plan/readiness.ts';
import { SpoolMonitor } from '../call/plan/spoolMonitor.ts';
import { PromptOperators } from '../call/promptRecording/operators.ts';
import { makePinGuard } from '../call/promptRecording/pinGuard.ts';
import type { PromptStorage } from '../call/promptRecording/session.ts';
import { makeOtherWorker } from '../call/registry/otherWorker.ts';
import { CallRegistry } from '../call/registry/registry.ts';
import { withDiscardFiles } from '../call/session/discardFileJournal.ts';
import type { CallJournal } from '../call/session/journal.ts';
import type { Watch } from '../call/watch/watch.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { serveLease } from '../catalogue/jobs/leases.ts';
import { workerNames } from '../config/workerNames.ts';
import { applicationOf, baseOf, isFirst, type Workers } from '../config/workers.ts';
import type { ChannelId, IdMaker } from '../core/ids.ts';
import { thisProcess } from '../core/processes.ts';
import type { Metrics } from '../core/metrics/metrics.ts';
import type { Policy } from '../policy/policy.ts';
import { readPrompt, readPromptSource } from '../prompts/library.ts';
import { promptOfCode, recordingProgress, storeRecording } from '../prompts/recordings.ts';
import type { Ari } from '../services/ari.ts';
import { soundsFolder } from '../services/prompts.ts';
import { serveNameOf } from '../services/serveName.ts';
import type { Services } from '../services/services.ts';
import { ownCalls } from './ownCalls.ts';

/** What the registry of calls, and what looks after it, need. */
export type CallDependencies = {
  services: Services;
  /** The same catalogue, for what callers wait for. */
  inCalls: Catalogue;
  policy: Policy;
  ids: IdMaker;
  ari: Ari;
  metrics: Metrics;
  watch: Watch;
  connection: AriConnection;
  /** undefined where one serve has all calls. */
  workers: Workers | undefined;
};

export type RegistryHooks = {
  asterisk: () => NamedAsterisk;
  callEnded: () => void;
  /** Of one of two workers: whether who is offered to both may be this one's. */
  mayClaim: () => boolean;
};

export function makeRegistry(dependencies: CallDependencies, hooks: RegistryHooks): CallRegistry {
  const { services, inCalls, policy, ids, ari, metrics, watch, connection, workers } = dependencies;
  const { config, clock, log, random, spoolFolder } = services;
  const { commands } = ari;
  const { hashKey, numberKey, preferenceDays: keepDays } = config.privacy;
  const { defaultCountry } = policy;
  const preferences = makePreferences({ table: inCalls.preferences, hashKey, keepDays, defaultCountry, clock });

  return new CallRegistry({
    ari: commands,
    journal: journalOf(dependencies),
    worker: workers === undefined ? undefined : config.ari.application,
    otherWorker: workers === undefined ? undefined : makeOtherWorker(workers.peer, commands, hooks.mayClaim, log),
    readiness: makeReadiness({
      spoolFolder,
      minimumFreeMib: config.recording.minimumFreeMib,
      languagesOfSound: (sound) => commands.languagesOfSound(sound),
      clock,
    }),
    policy,
    planner: makePlanner({
      policy,
      preferences,
      earlier: makeEarlierNotices({
        table: inCalls.callers,
        hashKey,
        withinDays: config.notice.shorterWithinDays,
        defaultCountry,
        clock,
      }),
      callers: makeCallerKeeper({ table: inCalls.callers, hashKey, numberKey, defaultCountry }),
      dialled: config.privacy.dialledDays > 0 ? inCalls.dialled : undefined,
      variable: (channelId, name) => commands.variable(channelId, name),
      ids,
      random,
      log,
    }),
    extensions: config.privacy.keepExtensions ? inCalls.extensions : undefined,
    preferences,
    ids,
    log,
    clock,
    clockIsOff: (aheadMs) => {
      log.warn({ aheadMs }, 'clocks of Asterisk and this machine differ');
      metrics.clockIsOff('arrival');
    },
    promptDesk: makePromptDesk(dependencies),
    watch,
    unfinished: () => unfinishedIn(spoolFolder, services.catalogue),
    asterisk: hooks.asterisk,
    watchesBridges: () => connection.watchesBridges,
    legUnheard: metrics.legUnheard,
    callEnded: (state) => {
      if (state.kind !== 'ended') return;
      const { outcome } = state;
      metrics.callEnded(outcome.result, outcome.result === 'unrecorded' ? outcome.reason : '');
      hooks.callEnded();
    },
  });
}

function journalOf({ services, inCalls, workers }: CallDependencies): CallJournal {
  const { config, log, spoolFolder } = services;
  const journal = ownCalls({ catalogue: inCalls, serve: serveNameOf(config), workers });

  return withDiscardFiles(journal, discardFilesIn(spoolFolder), log);
}

/** undefined without a PIN: then nobody can record prompts by telephone. */
function makePromptDesk({ services, ids, ari, workers }: CallDependencies): PromptOperators | undefined {
  const { config, clock, log, spoolFolder } = services;
  const { pin, maximumSeconds } = config.promptRecording;
  if (pin === undefined || (workers !== undefined && !isFirst(config.ari.application, workers))) return undefined;

  return new PromptOperators({
    ari: ari.commands,
    ids,
    log,
    prompts: makePromptStorage(soundsFolder(config)),
    pin: makePinGuard(pin, clock),
    spoolFolder,
    maximumSeconds,
    wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
  });
}

/** The folder is read for each operator anew, so that a changed prompts.yaml and `preavis prompts list` agree. */
function makePromptStorage(folder: string): PromptStorage {
  return {
    find: async (code) => {
      const words = promptOfCode(await readPromptSource(folder), code);
      if (words === undefined) return undefined;
      const prompt = await readPrompt(folder, words);
      const soundName = typeof prompt === 'string' ? undefined : prompt.soundName;

      return { id: words.id, language: words.language, text: words.text, soundName };
    },
    store: (target, wav) => storeRecording(folder, target, wav),
    progress: async (language) =>
      (await recordingProgress(folder, await readPromptSource(folder))).find((each) => each.language === language),
  };
}

/** What looks at the room in the recording folder. */
export function makeSpoolMonitor({ services, ari, metrics }: CallDependencies, registry: CallRegistry): SpoolMonitor {
  const { config, catalogue, log, actor, spoolFolder } = services;

  return new SpoolMonitor({
    spoolFolder,
    minimumFreeMib: config.recording.minimumFreeMib,
    states: () => registry.states,
    ari: ari.commands,
    stopped: (id) => {
      registry.roomSpent(id);
      return catalogue.auditTrail.append(id, { event: 'stopped for want of room', actor });
    },
    roomIs: metrics.spoolRoom,
    log,
  });
}

/**
 * The dead-man channels of the other mode of serving, whose calls are had here by now: of both workers, where one serve has all calls, or of that one,
 * for the first of two workers.
 */
async function leftBy({ services, workers }: CallDependencies, identity: string): Promise<ChannelId[]> {
  const { config, catalogue } = services;
  const { application } = config.ari;
  const base = baseOf(application, workers);
  if (workers !== undefined && !isFirst(application, workers)) return [];
  const left = workers === undefined ? workerNames.map((worker) => applicationOf(base, worker)) : [base];
  const { pbx } = serveNameOf(config);
  const unserved: ChannelId[] = [];
  // Where it never was otherwise, Asterisk is asked for nothing.
  for (const { serve } of await catalogue.leases.served()) {
    if (serve.pbx !== pbx || !left.includes(serve.application)) continue;
    const isServed = (await catalogue.leases.otherHolder(serveLease(serve), thisProcess())) !== undefined;
    if (!isServed) unserved.push(deadmanOf(serve.application, identity));
  }

  return unserved;
}

/** What ends recorders when nobody watches. */
export async function makeDeadman(dependencies: CallDependencies, registry: CallRegistry): Promise<Deadman> {
  const { services, ids, ari, metrics, watch, connection } = dependencies;
  const { config, catalogue, log } = services;
  const { application } = config.ari;
  const identity = await catalogue.file.identity();

  return new Deadman({
    ari: { ...ari.deadman, hasModule: (name) => ari.commands.hasModule(name) },
    channel: deadmanOf(application, identity),
    left: () => leftBy(dependencies, identity),
    limitSeconds: config.recording.unwatchedSeconds,
    // The application is ours, and the calls were compared with Asterisk since it is.
    isWatching: () => connection.isOpen && watch.isListening,
    answers: (withinMs) => connection.answers(withinMs),
    isCallOn: () => registry.states.length > 0,
    recordersEnded: async (at) => {
      for (const recording of await flagEndedUnwatched(at, { ...services, application })) {
        log.warn({ recording }, 'recorder ended: unwatched too long');
      }
    },
    trial: () => deadmanTrialOf(application, ids.channel()),
    isMissing: (isMissing) => {
      metrics.deadmanIsMissing(application, isMissing);
    },
    log,
  });
}
