import { listenOf } from '../../config/webSchema.ts';
import { PreavisError } from '../../core/errors.ts';
import { installedPath } from '../../core/installation.ts';
import { makeIds } from '../../core/ids.ts';
import { makeLog } from '../../core/log.ts';
import { askServe, asks } from '../../services/askServe.ts';
import { openConfiguredCatalogue } from '../../services/catalogue.ts';
import { makeServices } from '../../services/services.ts';
import { addArchives } from '../../services/store.ts';
import { openWebKey } from '../../services/webKey.ts';
import { removeLeftovers } from '../../web/handOut.ts';
import { makeAccess } from '../../web/access.ts';
import { readConsole } from '../../web/console.ts';
import { startWeb } from '../../web/server.ts';
import { findings } from '../check/check.ts';
import { configOf } from '../configuration.ts';
import type { CommandContext, ExitCode, Json, Program } from '../context.ts';

/** As for `serve`: what was not closed may hold the process for so long, ms. */
const exitLimitMs = 2_000;

/** SIGTERM, SIGINT, or the end of the `serve` that has started this process (serve/webProcess.ts). */
function askedToStop(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    process.once('disconnect', () => {
      resolve('serve has ended');
    });
  });
}

/** Serves the API and the console until it is asked to stop. Answers that are being sent may go on for some seconds. */
export async function web(
  context: CommandContext,
  _options: Json,
  { version }: Pick<Program, 'version'>,
): Promise<ExitCode> {
  const config = await configOf(context);
  const { listen, publicUrl, trustedProxies } = config.web;
  const at = listen === undefined ? undefined : listenOf(listen);
  if (at === undefined) {
    throw new PreavisError('config_invalid', 'web.listen: is missing, and nothing listens without it');
  }
  const { clock } = context;
  const log = makeLog(config.log.level);
  const catalogue = await openConfiguredCatalogue(config, clock, {
    mustExist: true,
    unreadable: (recording, error) => {
      log.error({ code: error.code, recording }, 'row skipped');
    },
  });
  try {
    const services = await addArchives(makeServices({ config, catalogue, clock, log, actor: 'web' }));
    await removeLeftovers(config);
    const asked = askedToStop();
    const webKey = await openWebKey(config);
    const server = await startWeb(
      {
        ...services,
        version,
        check: () => findings(config, context),
        ids: makeIds(),
        access: makeAccess({ ...services, webKey }),
        webKey,
        ask: (task, call) => askServe(asks[task], call, { config, catalogue }),
      },
      { ...at, publicUrl, trustedProxies, console: readConsole(installedPath('dist', 'console')) },
    );
    log.info({ url: server.url }, 'listening');
    log.info({ reason: await asked }, 'stopping');
    await server.stop();
    log.info('stopped');
  } finally {
    catalogue.close();
    setTimeout(() => process.exit(), exitLimitMs).unref();
  }

  return 0;
}
