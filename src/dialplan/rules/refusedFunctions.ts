import { fault, type Fault } from '../faults.ts';
import type { Look, Scene } from './scene.ts';

/** Functions that Asterisk refuses to a channel that Préavis had (docs/dialplan.md, Functions that Asterisk refuses). */

/** Those that Asterisk registers as escalating (22.10.1): to whoever reads them, */
const read = [
  'DB',
  'DB_DELETE',
  'FILE',
  'FILE_COUNT_LINE',
  'FILE_FORMAT',
  'LOCK',
  'PERIODIC_HOOK',
  'REALTIME_DESTROY',
  'SHELL',
  'STAT',
  'TRYLOCK',
  'UNLOCK',
];
/** and to whoever sets them. */
const written = ['CONFBRIDGE', 'CURL', 'DB', 'FILE', 'PERIODIC_HOOK'];

const reading = new RegExp(`\\$\\{(${read.join('|')})\\(`, 'g');
const setting = new RegExp(`^(${written.join('|')})\\(`);

function functionsOf({ step, invocations }: Look): string[] {
  const set = invocations
    .filter(({ application }) => application === 'set' || application === 'mset')
    .flatMap(({ data }) => setting.exec(data.trim())?.[1] ?? []);

  return [...(step.data ?? '').matchAll(reading)].flatMap(([, name = '']) => name).concat(set);
}

/** One for each context: FreePBX reads `DB()` in hundreds of steps. */
export function refusedFunctionFaults({ refusesFunctions }: Scene, all: readonly Look[]): Fault[] {
  if (!refusesFunctions) return [];
  const contexts = new Set<string>();

  return all.flatMap((look) => {
    const { context, place } = look.step;
    const [name] = functionsOf(look);
    if (name === undefined || contexts.has(context) || !look.arrivals.some(({ restricted }) => restricted)) return [];
    contexts.add(context);

    return [
      fault(
        'function-refused',
        place,
        `Asterisk refuses ${name}() behind the notice, from 20.20.1, 21.12.3, 22.10.1 and 23.4.1 on.`,
        `Read ${name}() into a variable before the Gosub, or set live_dangerously = yes in asterisk.conf.`,
      ),
    ];
  });
}
