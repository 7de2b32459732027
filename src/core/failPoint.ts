import { appendFileSync } from 'node:fs';

/**
 * For tests of what a crash leaves: PREAVIS_TEST_KILL_AT names the place at which this process is killed (SIGKILL, so that nothing
 * is tidied up), PREAVIS_TEST_STOP_AT that at which it is stopped once (SIGSTOP); PREAVIS_TEST_TRAIL names a file that gets the name
 * of each place that is passed. Without them it is undefined and costs nothing: `failPoint?.(...)`. A place is named for what has been
 * done there last, or is done next.
 */
export const failPoint = makeFailPoint(process.env);

function makeFailPoint(environment: NodeJS.ProcessEnv): ((place: string) => void) | undefined {
  const killAt = environment['PREAVIS_TEST_KILL_AT'];
  let stopAt = environment['PREAVIS_TEST_STOP_AT'];
  const trail = environment['PREAVIS_TEST_TRAIL'];
  if (killAt === undefined && stopAt === undefined && trail === undefined) return undefined;

  return (place) => {
    if (trail !== undefined) appendFileSync(trail, `${place}\n`);
    if (place === killAt) process.kill(process.pid, 'SIGKILL');
    if (place !== stopAt) return;
    stopAt = undefined;
    process.kill(process.pid, 'SIGSTOP');
  };
}
