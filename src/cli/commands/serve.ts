import { Server } from '../../serve/server.ts';
import { WebProcess } from '../../serve/webProcess.ts';
import type { Config } from '../../config/schema.ts';
import { makeIds } from '../../core/ids.ts';
import type { PreavisError } from '../../core/errors.ts';
import { makeLog, type Logger } from '../../core/log.ts';
import { configOf } from '../configuration.ts';
import type { CommandContext, ExitCode } from '../context.ts';

/** How long what was not closed may hold the process when all is stopped, ms. */
const exitLimitMs = 2_000;

/** The API and the console, where they listen and nobody else starts them. Calls do not wait for them. */
function startWeb({ web }: Config, { configFile, environment }: CommandContext, log: Logger): WebProcess | undefined {
  const [, file] = process.argv;
  if (web.listen === undefined || web.startedBy === 'itself' || file === undefined) return undefined;
  const started = new WebProcess({ file, configFile, environment }, log, () => performance.now());
  started.start();

  return started;
}

/**
 * Runs until SIGTERM or SIGINT. The first lets calls and uploads finish within shutdown.graceSeconds, the second cuts
 * that short. Throws lease_lost where another serve has taken over meanwhile, and what keeps it from starting.
 */
export async function serve(
  context: CommandContext,
  { takeOver, newCatalogue }: { takeOver: boolean; newCatalogue: boolean },
): Promise<ExitCode> {
  const config = await configOf(context);
  const log = makeLog(config.log.level, undefined, { pbx: config.ari.pbx });
  const server = new Server({ config, log, clock: context.clock, ids: makeIds(), takeOver, newCatalogue });
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
    const web = startWeb(config, context, log);
    const lost: PreavisError | undefined = await Promise.race([asked, server.lost]);
    if (lost !== undefined) server.forceStop();
    await Promise.all([server.stop(), web?.stop()]);
    if (lost !== undefined) throw lost;
  } finally {
    // A connection on which nothing comes any more, as of ari-client's first requests, would hold the process.
    setTimeout(() => process.exit(), exitLimitMs).unref();
  }

  return 0;
}
