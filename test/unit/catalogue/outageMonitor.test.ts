import { CatalogueOutageMonitor } from '../../../src/catalogue/outageMonitor.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { collectingLog } from '../../support/logLines.ts';

const failure = new PreavisError('catalogue_unusable', 'no answer');

test('an outage of the catalogue and its end are told once, also where a look began before the outage was found', async () => {
  const { log, lines } = collectingLog();
  const looks: boolean[] = [];
  const monitor = new CatalogueOutageMonitor(log, (fails) => looks.push(fails));
  let answer = (): void => undefined;
  const early = monitor.look(
    () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
  );
  await monitor.look(() => Promise.reject(failure));
  await monitor.look(() => Promise.reject(failure));
  answer();
  await early;
  await monitor.look(() => Promise.resolve());
  expect(looks).toEqual([true, true, false, false]);
  expect(lines).toMatchObject([
    { level: 'error', code: 'catalogue_unusable', msg: 'catalogue not writable; new calls not recorded' },
    { level: 'info', code: 'catalogue_unusable', msg: 'catalogue available again' },
  ]);
});
