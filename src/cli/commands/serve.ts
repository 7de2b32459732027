import { Server } from '../../serve/server.ts';
import { WebProcess } from '../../serve/webProcess.ts';
import { WebTurn, type WebTurnPorts } from '../../serve/webTurn.ts';
import type { Config } from '../../config/schema.ts';
import { asWorker, workersOf } from '../../config/workers.ts';
import { makeIds } from '../../core/ids.ts';
import type { PreavisError } from '../../core/errors.ts';
import { makeLog, type Logger } from '../../core/log.ts';
import { configOf } from '../configuration.ts';
import type { CommandContext, ExitCode } from '../context.ts';

/** How long what was not closed may hold the process when all is stopped, ms. */
const exitLimitMs = 2_000;

/** The API and the console, where they listen and nobody else starts them. Calls do not wait for them. */
function startWeb(
  { web, ari }: Config,
  { configFile, environment }: CommandContext,
  { log, turns }: { log: Logger; turns: WebTurnPorts['catalogue'] | undefined },
): Pick<WebProcess, 'stop'> | undefined {
  const [, file] = process.argv;
  if (web.listen === undefined || web.startedBy === 'itself' || file === undefined) return undefined;
  const make = (): WebProcess => new WebProcess({ file, configFile, environment }, log, () => performance.now());
  // Two workers of one machine have one address to listen on.
  const started = turns === undefined ? make() : new WebTurn({ catalogue: turns, pbx: ari.pbx, make, log });
  started.start();

  return started;
}

/** The other worker has the calls: whatever is left to do here would be done twice. The service manager starts this one again. */
function endAtOnce(lost: PreavisError, log: Logger): never {
  const { code, hint } = lost;
  log.error({ code, err: lost, hint }, 'calls are with the other worker; ending');
  process.exit(1);
}

/**
 * Runs until SIGTERM or SIGINT. The first lets calls and uploads finish within shutdown.graceSeconds, the second cuts
 * that short. Throws lease_lost where another serve has taken over meanwhile, job_busy where the other worker turns out to stand beside another
 * Asterisk, and what keeps it from starting.
 */
export async function serve(
  context: CommandContext,
  { takeOver, newCatalogue }: { takeOver: boolean; newCatalogue: boolean },
): Promise<ExitCode> {
  const given = await configOf(context);
  const [config, workers] = [asWorker(given), workersOf(given)];
  const { pbx, worker } = config.ari;
  const log = makeLog(config.log.level, undefined, { pbx, worker });
  const server = new Server({ config, log, clock: context.clock, ids: makeIds(), takeOver, newCatalogue, workers });
  let signals = 0;
  const asked = new Promise<undefined>((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      signals += 1;
      log.info({ signal }, signals === 1 ? 'stopping after calls and uploads' : 'stopping immediately');
      if (signals > 1) server.forceStop();
      resolve(undefined);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
  try {
    await server.start();
    const web = startWeb(config, context, { log, turns: workers && server.catalogue });
    const lost: PreavisError | undefined = await Promise.race([asked, server.lost]);
    if (lost?.code === 'lease_lost') {
      if (workers !== undefined) endAtOnce(lost, log);
      server.forceStop();
    }
    await Promise.all([server.stop(), web?.stop()]);
    if (lost !== undefined) throw lost;
  } finally {
    // A connection on which nothing comes any more, as of ari-client's first requests, would hold the process.
    setTimeout(() => process.exit(), exitLimitMs).unref();
  }

  return 0;
}
