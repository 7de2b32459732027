import { PreavisError } from '../../core/errors.ts';
import type { Asynchronous, CarryOut, Steps } from '../asynchronous.ts';
import { asynchronous } from '../asynchronous.ts';
import { isStep, sql, value, type Asked, type Step } from '../sql/step.ts';

/**
 * That a job is one's own from now on: `number` grows by one each time that another gets it. Whoever stood still for longer than its lease, and
 * goes on where it was, has a number of before, by which what it writes is refused.
 */
export type Turn = { readonly job: string; readonly holder: string; readonly number: number };

/** Another had it since. Where nothing is kept of that, as after somebody has emptied the table, nobody had. */
const passed = `EXISTS (SELECT 1 FROM lease_turns WHERE job = @job AND (holder <> @holder OR number <> @number))`;
/** A condition of a statement about a lease. */
export const isStillOwn = `NOT ${passed}`;

const selectPassed = sql(`SELECT ${passed}`);

/** Whether another has had it since, also where that one has let it run out or given it back. */
export function* hasPassed(turn: Turn): Step<boolean> {
  return (yield* value(selectPassed, turn)) === 1;
}

function* requireTurns(turns: readonly Turn[]): Step<void> {
  for (const turn of turns) {
    if (yield* hasPassed(turn)) {
      throw new PreavisError('lease_lost', `another process has had ${turn.job} since`);
    }
  }
}

/** Whether it writes, or may: a statement that changes rows gives some of them back as well. */
function isWriting(asked: Asked): boolean {
  if (asked.kind === 'transaction') return asked.mode !== 'reading';

  return asked.want === 'change' || /^\s*(?:INSERT|UPDATE|DELETE)\b/.test(asked.statement.sqlite);
}

/**
 * The same step, of which each part that writes first looks, in the transaction in which it writes, whether the turns have not passed. Whoever takes a
 * lease writes alone: so none passes between the look and the commit.
 */
function* during<Result>(turns: readonly Turn[], step: Step<Result>): Step<Result> {
  let next = step.next();
  while (next.done !== true) {
    let answer: unknown;
    try {
      answer = yield isWriting(next.value) ? behindLook(turns, next.value) : next.value;
    } catch (thrown) {
      next = step.throw(thrown);
      continue;
    }
    next = step.next(answer);
  }

  return next.value;
}

function behindLook(turns: readonly Turn[], asked: Asked): Asked {
  function* looked(): Step<unknown> {
    yield* requireTurns(turns);

    return asked.kind === 'transaction' ? yield* asked.step : yield asked;
  }
  const { mode, about } =
    asked.kind === 'transaction'
      ? asked
      : // One statement needs nobody to stand still but for those of the same process.
        { mode: 'writing' as const, about: turns.map(({ job, holder }) => `${job} ${holder}`).join() };

  return { kind: 'transaction', mode, step: looked(), about };
}

/** Of each repository: what it was made of. */
const origins = new WeakMap<object, { steps: Steps; carryOut: CarryOut; turns: readonly Turn[] }>();

/** A repository whose methods can be bound to turns later. */
export function repository<Repository extends Steps>(
  steps: Repository,
  carryOut: CarryOut,
  turns: readonly Turn[] = [],
): Asynchronous<Repository> {
  const bound: CarryOut =
    turns.length === 0
      ? carryOut
      : (make) =>
          carryOut(() => {
            const made = make();

            return isStep(made) ? during(turns, made) : made;
          });
  const made = asynchronous(steps, bound);
  origins.set(made, { steps, carryOut, turns });

  return made;
}

/**
 * The same catalogue, or part of one, which writes nothing once the turn has passed: its methods then throw lease_lost. What asks for leases is
 * not concerned.
 */
export function boundTo<Part extends object>(catalogue: Part, turn: Turn): Part {
  const bound = Object.entries(catalogue).map(([name, part]: [string, unknown]) => [
    name,
    name === 'leases' ? part : partBoundTo(part, turn),
  ]);

  return Object.fromEntries(bound) as Part;
}

/**
 * As boundTo, for a process that has nothing to do any more once the turn has passed: it takes and renews no lease then either, and notes nothing beside
 * them. What it still has it may give back.
 */
export function whollyBoundTo<Part extends { leases: { release: unknown } }>(catalogue: Part, turn: Turn): Part {
  const { leases } = catalogue;
  const wholly: Part['leases'] = { ...partBoundTo<Part['leases']>(leases, turn), release: leases.release };
  const origin = origins.get(leases);
  if (origin !== undefined) origins.set(wholly, { ...origin, turns: [...origin.turns, turn] });

  return { ...boundTo(catalogue, turn), leases: wholly };
}

/** The same for a repository and for all that are made of it by binding it to turns. */
export function unboundOf(part: object): object {
  return origins.get(part)?.steps ?? part;
}

function partBoundTo<Value>(part: Value, turn: Turn): Value {
  const origin = typeof part === 'object' && part !== null ? origins.get(part) : undefined;

  return origin === undefined
    ? part
    : (repository(origin.steps, origin.carryOut, [...origin.turns, turn]) as unknown as Value);
}
