import { holdGrounds } from '../../../catalogue/holdGrounds.ts';
import { isActive, type LegalHoldRow } from '../../../catalogue/retention/legalHolds.ts';
import { isoTime } from '../../../core/clock.ts';
import { counted } from '../../../core/text/counted.ts';
import { PreavisError } from '../../../core/errors.ts';
import { isUlid, makeIds, type HoldId } from '../../../core/ids.ts';
import { holdDates, mayHold } from '../../../retention/legalHolds.ts';
import { makeHoldsAllowed } from '../../../config/purposeRules.ts';
import { withCatalogue } from '../../withCatalogue.ts';
import { answer, type CommandContext, type ExitCode, type Json } from '../../context.ts';
import { localTime } from '../../localTime.ts';
import { oneOf } from '../../options.ts';
import { operatorOf } from '../../operator.ts';
import { oneLine } from '../../../core/text/oneLine.ts';
import { table } from '../../table.ts';

export type HoldOptions = {
  ground: string;
  reason: string;
  until: string;
  review: string | undefined;
  json: boolean;
};

export type ShownHold = ReturnType<typeof shownHold>;

export const shownHold = ({ id, recording, ground, reason, author, ...hold }: LegalHoldRow) => ({
  id,
  recording,
  ground,
  reason,
  author,
  setAt: isoTime(hold.setAt),
  reviewAt: isoTime(hold.reviewAt),
  expiresAt: isoTime(hold.expiresAt),
  releasedAt: isoTime(hold.releasedAt),
  releasedBy: hold.releasedBy,
});

/** Keeps a recording beyond its end. Throws hold_refused, hold_too_late and recording_unknown. */
export async function recordingsHold(context: CommandContext, id: string, options: HoldOptions): Promise<ExitCode> {
  const { json } = options;
  const ground = oneOf('--ground', options.ground, holdGrounds);
  const reason = options.reason.trim();
  if (reason === '' || reason.length > 1_000)
    throw new PreavisError('usage', '--reason is a text of 1 to 1000 characters');
  const { reviewAt, expiresAt } = holdDates(options, context.clock.now());
  return withCatalogue<ExitCode>(context, async (catalogue, config) => {
    const row = isUlid(id) ? await catalogue.recordings.find(id) : undefined;
    if (row === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    const purposes = (await catalogue.calls.find(row.callId))?.purposes ?? [];
    mayHold(ground, purposes, makeHoldsAllowed(config));
    const author = operatorOf(context.environment);
    const hold = { id: makeIds().hold(), recording: row.id, ground, reason, author, reviewAt, expiresAt };
    await catalogue.legalHolds.set(hold);
    // Who reads words needs no more of the catalogue: it is set.
    const all = json ? await catalogue.legalHolds.of(row.id) : [];
    const [set] = all.filter((each) => each.id === hold.id).map(shownHold);
    answer(context, json, { hold: set }, () => [
      `hold ${hold.id} keeps recording ${row.id} until ${localTime(expiresAt)}`,
      `to be reviewed by ${localTime(reviewAt)}`,
      ...(config.archive.store === 'minio'
        ? ['a lifecycle rule of the bucket knows nothing of holds: preavis check says whether one ends sooner']
        : []),
    ]);

    return 0;
  });
}

/** Ends a hold before its expiry. What is due then is erased by the next retention pass. Throws hold_unknown. */
export async function recordingsRelease(context: CommandContext, id: string, { json }: Json): Promise<ExitCode> {
  return withCatalogue<ExitCode>(context, async (catalogue) => {
    if (!isUlid(id)) throw new PreavisError('hold_unknown', 'there is no hold with this id');
    const recording = await catalogue.legalHolds.release(id as HoldId, operatorOf(context.environment));
    const at = context.clock.now();
    const left = (await catalogue.legalHolds.of(recording)).filter((each) => isActive(each, at));
    answer(context, json, { released: id, recording, holdsLeft: left.length }, () => [
      `released; ${counted(left.length, 'other hold keeps', 'other holds keep')} recording ${recording}`,
    ]);

    return 0;
  });
}

const most = 100_000;

/** Lists the holds that keep recordings now. Exit 3 when one is to be reviewed. */
export async function recordingsHolds(context: CommandContext, { json }: Json): Promise<ExitCode> {
  const at = context.clock.now();

  return withCatalogue<ExitCode>(context, async (catalogue) => {
    const holds = await catalogue.legalHolds.active(at, '', most);
    const toReview = holds.filter(({ reviewAt }) => reviewAt <= at);
    answer(context, json, { holds: holds.map(shownHold), toReview: toReview.length }, () => {
      if (holds.length === 0) return ['no holds'];
      const rows = holds.map((hold) => [
        hold.id,
        hold.recording,
        hold.ground,
        // Days that somebody gave are days of UTC, to their last millisecond.
        isoTime(hold.expiresAt).slice(0, 10),
        `${isoTime(hold.reviewAt).slice(0, 10)}${hold.reviewAt <= at ? ' (now)' : ''}`,
      ]);
      const reasons = holds.map(({ author, reason }) => `${oneLine(reason)} (${author})`);

      return [table(['HOLD', 'RECORDING', 'GROUND', 'UNTIL (UTC)', 'REVIEW (UTC)'], rows, reasons)];
    });

    return toReview.length > 0 ? 3 : 0;
  });
}
