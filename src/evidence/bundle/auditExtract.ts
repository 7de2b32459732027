/**
 * What the audit trail says of one recording, so that somebody without the catalogue can see that no line of it was changed.
 * The trail is one chain over all recordings (core/crypto/hashChain.ts): of the lines of other recordings in between only the digests
 * are given, which say nothing of what they are about. So who signs can leave a line out, as if it were another recording's:
 * only steps of the status leave a gap (stepsFault).
 */
import * as z from 'zod';
import type { SilentSpan } from './page/soundFigure.ts';
import { flaggedByWitness } from '../../catalogue/calls/witness.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import { moved } from '../../catalogue/retention/auditTrail.ts';
import { doubtRaised, doubtSettled } from '../../catalogue/retention/clockDoubts.ts';
import { holdReleased, holdSet } from '../../catalogue/retention/legalHolds.ts';
import type { AuditRow } from '../../catalogue/rows.ts';
import { chainStart, entryDigest, linkOf } from '../../core/crypto/hashChain.ts';
import { sha256Form } from '../../core/crypto/sha256.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { pagesOf } from '../../core/pages.ts';

export const auditSchema = z.strictObject({
  audit: z.literal(1),
  recording: z.string(),
  /** In the order of the trail. Those with `chain: null` are from before the trail was chained: nothing proves them. */
  rows: z.array(
    z.strictObject({
      id: z.int(),
      at: z.iso.datetime(),
      event: z.string(),
      from: z.string().nullable(),
      to: z.string().nullable(),
      actor: z.string(),
      detail: z.record(z.string(), z.unknown()),
      chain: sha256Form.nullable(),
    }),
  ),
  /** The part of the chain in audit-chain.txt, from the recording's first line to the newest of all; null without any. */
  chain: z
    .strictObject({
      /** The link before the first line. */
      before: sha256Form,
      lines: z.int(),
      head: z.strictObject({ id: z.int(), chain: sha256Form }),
    })
    .nullable(),
});
export type AuditExtract = z.infer<typeof auditSchema>;

type Trail = CataloguePart<{ auditTrail: 'of' | 'head' | 'lines' }>;

const pageLines = 1_000;

/**
 * whole: every line. own: those that tell of the recording itself, for who may not read what others did with it (docs/access.md,
 * `readAudit`); of the others the chain has the digests.
 */
export type AuditPart = 'whole' | 'own';

/** What tells of a recording beside the steps of its status. What is not named here tells of people, and is left out. */
const ownEvents: ReadonlySet<string> = new Set([
  flaggedByWitness,
  holdSet,
  holdReleased,
  doubtRaised,
  doubtSettled,
  moved,
]);

const isOwn = ({ to, event }: Pick<AuditRow, 'to' | 'event'>): boolean => to !== null || ownEvents.has(event);

function broken(id: number): PreavisError {
  return new PreavisError('evidence_chain_broken', `line ${id} of the audit trail does not fit the chain`);
}

/** The link of the line before this one; what stands before the first where there is none. */
async function linkBefore(trail: Trail, id: number): Promise<string> {
  for (let to = id - 1; to > 0; to -= pageLines) {
    const last = (await trail.auditTrail.lines(to - pageLines + 1, to, pageLines)).at(-1);
    if (last !== undefined) return last.chain ?? chainStart;
  }

  return chainStart;
}

/**
 * Takes the extract as the trail is now.
 *
 * @param part what is shown of it
 * @param write gets the text of audit-chain.txt piece by piece: `<id> <digest>` for each line
 * @throws PreavisError `evidence_chain_broken`: a line does not fit.
 */
export async function extractAudit(
  trail: Trail,
  recording: RecordingId,
  part: AuditPart,
  write: (text: string) => Promise<void>,
): Promise<AuditExtract> {
  const head = await trail.auditTrail.head();
  const rows = (await trail.auditTrail.of(recording)).filter(({ id }) => id <= (head?.id ?? Infinity));
  const told = part === 'whole' ? rows : rows.filter(isOwn);
  const shown = told.map(({ at, ...row }) => ({ ...row, at: isoTime(at) }));
  const first = rows.find(({ chain }) => chain !== null);
  if (first === undefined || head === undefined) return { audit: 1, recording, rows: shown, chain: null };
  const before = await linkBefore(trail, first.id);
  let link = before;
  let lines = 0;
  const page = (from: number) => trail.auditTrail.lines(from, head.id, pageLines);
  for await (const each of pagesOf(pageLines, first.id, page, ({ id }) => id + 1)) {
    for (const { id, digest, chain } of each) {
      link = linkOf(link, digest);
      if (link !== chain) throw broken(id);
    }
    lines += each.length;
    await write(each.map(({ id, digest }) => `${id} ${digest}\n`).join(''));
  }

  return { audit: 1, recording, rows: shown, chain: { before, lines, head } };
}

const isKept = (status: string | null): boolean => status === 'recorded' || status === 'archived';

/** Each step of the status begins where the one before it ended, and they lead to a recording that can be handed out; undefined when so. */
function stepsFault(rows: AuditExtract['rows']): string | undefined {
  let status: string | null = null;
  for (const { id, from, to } of rows) {
    if (to === null) continue;
    if (from !== status) return `a step of the recording is missing before line ${id} of the audit trail`;
    status = to;
  }

  return isKept(status) ? undefined : 'the steps in the audit trail do not lead to a recording that is kept';
}

const measured = z.object({ sha256: sha256Form });

/** The newest SHA-256 of the recording in a line with a link: an earlier one is of the file as it was before. null where none has it. */
export function hashInTrail({ rows }: AuditExtract): string | null {
  const hashes = rows.flatMap(({ chain, to, detail }) => {
    const said = chain !== null && isKept(to) ? measured.safeParse(detail).data : undefined;

    return said === undefined ? [] : [said.sha256];
  });

  return hashes.at(-1) ?? null;
}

const silenced = z.object({
  silent: z.array(z.object({ fromMs: z.number(), toMs: z.number(), why: z.literal('pause').optional() })),
});

/** What Préavis has made silent in the file, ms from its beginning, by the newest line that measured it. */
export function silentIn({ rows }: AuditExtract): readonly SilentSpan[] {
  const closed = rows.findLast(({ to }) => to === 'recorded');

  return silenced.safeParse(closed?.detail).data?.silent ?? [];
}

/** What did not fit, in words; undefined when everything does. */
export async function auditFault(
  extract: AuditExtract,
  chainLines: AsyncIterable<string> | Iterable<string>,
): Promise<string | undefined> {
  const { recording, rows, chain } = extract;
  const chained = rows.filter((row) => row.chain !== null);
  if (rows.slice(0, rows.length - chained.length).some((row) => row.chain !== null)) {
    return 'a line of the audit trail that is in no chain stands behind one that is';
  }
  const gap = stepsFault(rows);
  if (gap !== undefined) return gap;
  if (chain === null) return chained.length === 0 ? undefined : 'the audit trail has links and no chain';
  let link = chain.before;
  let lines = 0;
  let lastId = 0;
  let next = 0;
  for await (const line of chainLines) {
    const [, idText, digest] = /^(\d{1,16}) ([0-9a-f]{64})$/.exec(line) ?? [];
    const id = Number(idText);
    if (digest === undefined || id <= lastId) return `line ${lines + 1} of the chain is not one`;
    lastId = id;
    lines += 1;
    link = linkOf(link, digest);
    const row = chained[next];
    if (row?.id !== id) continue;
    next += 1;
    const { event, from, to, actor, detail } = row;
    const own = entryDigest([Date.parse(row.at), recording, event, from, to, actor, JSON.stringify(detail)]);
    if (digest !== own || row.chain !== link) {
      return `line ${id} of the audit trail does not fit the chain`;
    }
  }
  if (next < chained.length) return `line ${chained[next]?.id ?? 0} of the audit trail is not in the chain`;
  if (lines !== chain.lines || lastId !== chain.head.id || link !== chain.head.chain) {
    return 'the chain does not end where the audit trail says';
  }

  return undefined;
}
