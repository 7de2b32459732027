import { earliestWitnesses, endWitnesses, type ClockWitness } from '../../../call/watch/clockWitnesses.ts';
import type { Catalogue } from '../../../catalogue/catalogue.ts';
import type { DoubtRow } from '../../../catalogue/retention/clockDoubts.ts';
import { isoTime } from '../../../core/clock.ts';
import { PreavisError } from '../../../core/errors.ts';
import { isUlid, type RecordingId } from '../../../core/ids.ts';
import { withCatalogue } from '../../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode, type Json } from '../../context.ts';
import { localTime } from '../../localTime.ts';
import { operatorOf } from '../../operator.ts';

const most = 100_000;
const witnesses: readonly string[] = [...endWitnesses, ...earliestWitnesses] satisfies ClockWitness[];

/** Of a time that --json has in UTC. */
const local = (iso: string | null): string => (iso === null ? '-' : localTime(Date.parse(iso)));

const shownDoubt = ({ recording, raisedAt, apartMs, keptFrom, keepUntil, ...doubt }: DoubtRow) => ({
  recording,
  raisedAt: isoTime(raisedAt),
  apartMs,
  keptFrom: isoTime(keptFrom),
  keepUntil: isoTime(keepUntil),
  witnesses: Object.fromEntries(Object.entries(doubt.witnesses).map(([name, at]) => [name, isoTime(at)])),
});

const doubtInWords = ({ recording, apartMs, keptFrom, keepUntil, witnesses: times }: ReturnType<typeof shownDoubt>) => [
  `${recording}  clocks are ${(apartMs / 3_600_000).toFixed(1)} hours apart`,
  `  kept from ${local(keptFrom)} until ${local(keepUntil)}, and on until it is settled`,
  ...Object.entries(times).map(([name, at]) => `  ${name.padEnd(18)} ${local(at)}`),
];

/** Lists the recordings about whose end clocks disagree. Exit 3 when there is one. */
export async function recordingsDoubts(context: CommandContext, { json }: Json): Promise<ExitCode> {
  return withCatalogue<ExitCode>(context, async (catalogue) => {
    const doubts = (await catalogue.clockDoubts.open('', most)).map(shownDoubt);
    answer(context, json, { doubts }, () => (doubts.length === 0 ? ['no doubts'] : doubts.flatMap(doubtInWords)));

    return doubts.length === 0 ? 0 : 3;
  });
}

export type SettleOptions = {
  all: boolean;
  ended: string | undefined;
  by: string | undefined;
  json: boolean;
};

/** When it ended, by what was asked for. Throws usage where this witness says nothing of it. */
type End = (doubt: DoubtRow) => number;

function endOf({ ended, by }: SettleOptions, at: number): End {
  if (by !== undefined && ended === undefined && witnesses.includes(by)) {
    return ({ recording, witnesses: times }) => {
      const end = times[by];
      if (end === undefined) throw new PreavisError('usage', `${by} says nothing of ${recording}`);
      return end;
    };
  }
  const time = ended !== undefined && by === undefined ? timeOf(ended) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new PreavisError(
      'usage',
      `give --ended TIME, such as 2027-01-31T14:05:00Z, or --by one of ${witnesses.join(', ')}`,
    );
  }
  if (time > at) throw new PreavisError('usage', '--ended is not in the future');

  return () => time;
}

/** As it is written in documents, or as `recordings doubts` shows it. ECMAScript would guess a zone that is missing. */
function timeOf(given: string): number {
  const [day = '', time = '', zone = '', ...others] = given.split(' ');
  const text = others.length > 0 || zone === '' ? given : `${day}T${time}${zone === 'UTC' ? 'Z' : zone}`;

  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
}

async function chosenOf(ids: readonly string[], all: boolean, catalogue: Catalogue): Promise<DoubtRow[]> {
  if (all === ids.length > 0) throw new PreavisError('usage', 'name recordings, or give --all');
  if (all) return catalogue.clockDoubts.open('', most);

  return Promise.all(
    ids.map(async (id) => {
      const doubt = isUlid(id) ? await catalogue.clockDoubts.of(id as RecordingId) : undefined;
      if (doubt?.isOpen !== true) throw new PreavisError('doubt_unknown', `there is no doubt when ${id} ended`);
      return doubt;
    }),
  );
}

/** Keeping counts from this end from now on; nothing is settled where one of them cannot be. Throws doubt_unknown and usage. */
export async function recordingsSettle(
  context: CommandContext,
  ids: readonly string[],
  options: SettleOptions,
): Promise<ExitCode> {
  const endedAt = endOf(options, context.clock.now());
  const operator = operatorOf(context.environment);

  return withCatalogue<ExitCode>(context, async (catalogue) => {
    const chosen = (await chosenOf(ids, options.all, catalogue)).map((doubt) => ({
      id: doubt.recording,
      to: endedAt(doubt),
    }));
    const settled: { recording: string; endedAt: string; keepUntil: string | null }[] = [];
    for (const { id, to } of chosen) {
      await catalogue.clockDoubts.settle(id, to, operator);
      const keepUntil = (await catalogue.recordings.find(id))?.keepUntil ?? null;
      settled.push({
        recording: id,
        endedAt: isoTime(to),
        keepUntil: isoTime(keepUntil),
      });
    }
    answer(context, options.json, { settled }, () =>
      settled.map(
        ({ recording, endedAt: end, keepUntil }) =>
          `${recording} ended at ${local(end)}; it is kept until ${local(keepUntil)}`,
      ),
    );

    return 0;
  });
}
