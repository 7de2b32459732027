import type { RecordingId } from '../../../core/ids.ts';
import type { Lock } from '../../../store/objectLock.ts';
import { counted } from '../../../core/text/counted.ts';
import { isoTime } from '../../../core/clock.ts';
import { makeArchives } from '../../../services/store.ts';
import { readCertificate } from '../../../retention/certificates/certificate.ts';
import {
  copyMissingCertificates,
  decisionsInWords,
  replayArchive,
  replayLedger,
} from '../../../retention/certificates/copies.ts';
import { decisionFaults, lostDecisions } from '../../../retention/decisions.ts';
import { lostLines } from '../../../retention/certificates/compareLedger.ts';
import { headInWords } from '../../../retention/heads/chainHead.ts';
import { replayHeads, type TrailAfterReplay } from '../../../retention/heads/replayHeads.ts';
import { verifyCertificates, type Verified } from '../../../retention/certificates/verify.ts';
import { withCatalogue } from '../../withCatalogue.ts';
import { configOf } from '../../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../../context.ts';
import { parseLimit } from '../../options.ts';
import { operatorOf } from '../../operator.ts';
import { localTime, timeColumn } from '../../localTime.ts';
import { lockInWords, lockThatKeeps, shownLock } from '../../lockInWords.ts';
import { beginProgress } from '../../progress.ts';
import { table } from '../../table.ts';
import { withArchives } from '../../withArchives.ts';
import { withServices } from '../../withServices.ts';

/** Lists certificates of erasure, newest first. */
export async function certificatesList(
  context: CommandContext,
  { limit, json }: { limit: string; json: boolean },
): Promise<ExitCode> {
  const most = parseLimit(limit);
  return withCatalogue<ExitCode>(context, async (catalogue) => {
    const rows = await catalogue.certificates.newest(most);
    const contents = await Promise.all(rows.map(async ({ jws }) => (await readCertificate(jws)).content));
    const certificates = contents.map((content, index) => ({ ...content, jws: rows[index]?.jws }));
    answer(context, json, { certificates }, () => {
      if (contents.length === 0) return ['no certificates'];
      const checked = timeColumn(
        'ERASED AND CHECKED',
        contents.map(({ verifiedAt }) => Date.parse(verifiedAt)),
      );
      const cells = contents.map(({ number, recording, rule, objects, bytes }, index) => [
        String(number),
        recording,
        checked.cells[index] ?? '',
        rule.kind,
        String(objects.reduce((sum, { versions }) => sum + versions.length, 0)),
        bytes === null ? '' : String(bytes),
      ]);

      return [table(['NUMBER', 'RECORDING', checked.header, 'RULE', 'VERSIONS', 'BYTES'], cells)];
    });

    return 0;
  });
}

/** Whoever writes to the ledger could fill the memory and the screen. */
const mostFaults = 10_000;

/**
 * Checks every certificate: its signature, its place in the chain, the audit trail that it names, that catalogue and ledger have
 * the same, and, unless `offline`, that nothing lies in the archive under its keys. Exit 3 when one does not hold.
 */
export async function certificatesVerify(
  context: CommandContext,
  { offline, json }: { offline: boolean; json: boolean },
): Promise<ExitCode> {
  const config = await configOf(context);
  const work = beginProgress('the certificates were not all checked', json);

  return withServices<ExitCode>(context, config, 'command', async (services) => {
    const archives = offline ? { store: undefined } : await makeArchives(config, services.catalogue);
    const ports = { ...services, ...archives, since: services.clock.now() - services.certificatesKeptMs };
    const verify = async (): Promise<Verified> => {
      const verified = await verifyCertificates(ports, { signal: work.signal, progress: work.progress });
      for await (const fault of decisionFaults(ports, work.signal)) {
        if (verified.faults.length < mostFaults) verified.faults.push({ number: 0, recording: '', fault });
      }

      return verified;
    };
    const result = await verify().finally(work.end);
    answer(context, json, { offline, ...result, heads: headsOf(result.heads) }, () => verifiedInWords(result, offline));

    return result.faults.length > 0 ? 3 : 0;
  });
}

function verifiedInWords({ faults, checked, heads, kids }: Verified, offline: boolean): string[] {
  const found = faults.length === 0 ? 'all hold' : counted(faults.length, 'fault');

  return [
    ...faults.map(({ number, recording, fault }) => {
      const which = number === 0 ? recording : `${number} ${recording}`;

      return recording === '' ? fault : `${which}: ${fault}`;
    }),
    `${counted(checked, 'certificate')} checked, ${found}`,
    ...headsInWords(heads),
    ...(kids.length > 0 ? [`signed by ${kids.join(' and ')}`] : []),
    ...(offline ? ['the archive was not asked'] : []),
  ];
}

type Heads = Verified['heads'];

function headsOf({ newest, restored, unsignedSince }: Heads) {
  return {
    newest: newest === undefined ? null : { number: newest.number, signedAt: newest.signedAt, line: newest.line },
    restored,
    unsignedSince: isoTime(unsignedSince ?? null),
  };
}

/** Up to where the audit trail is vouched for, and what people said was put back. */
function headsInWords({ isSigned, newest, restored, unsignedSince }: Heads): string[] {
  const since =
    unsignedSince === undefined ? '' : `; what was written since ${isoTime(unsignedSince)} is not yet signed`;

  return [
    ...restored.map(
      ({ number, signedAt, by, gone }) =>
        `an older catalogue was put back, says ${by} (head ${number}, ${signedAt}): ${counted(gone, 'head before that is', 'heads before that are')} of lines that are gone`,
    ),
    newest === undefined
      ? isSigned
        ? 'no head that was signed fits the audit trail'
        : 'no head of the audit trail was signed yet: lines cut off its end would not show'
      : `the audit trail is vouched for by ${headInWords(newest)}${since}`,
  ];
}

/**
 * Takes up the certificates of the ledger and of the archive, and erases again what they say was erased. What the ledger has lost is
 * written into it again. With `restored` it signs that an older catalogue was put back on purpose.
 */
export async function certificatesReplay(
  context: CommandContext,
  { dryRun, restored = false, json }: { dryRun: boolean; restored?: boolean; json: boolean },
): Promise<ExitCode> {
  const config = await configOf(context);
  const work = beginProgress('not every copy of a certificate was looked at; run it again', json);
  let seen = 0;
  const progress = (): void => {
    work.signal.throwIfAborted();
    seen += 1;
    work.progress(seen, seen);
  };

  return withArchives<ExitCode>(context, config, 'command', async (services) => {
    const { catalogue } = services;
    const ledger = await replayLedger(services, { dryRun, fromStart: true, progress });
    const archive = await replayArchive(services, { dryRun, progress });
    const ports = { ...services, since: services.clock.now() - services.certificatesKeptMs };
    let writtenAgain = 0;
    for await (const { sha256 } of lostLines(ports)) {
      writtenAgain += 1;
      if (!dryRun) await catalogue.certificates.noteCopy(sha256, 'ledger', false);
    }
    let decisionsAgain = 0;
    for await (const { sha256 } of lostDecisions(ports)) {
      decisionsAgain += 1;
      if (!dryRun) await catalogue.decisions.noteInLedger(sha256, false);
    }
    if (!dryRun) await copyMissingCertificates(services);
    const { decisions } = ledger;
    const decided = decisionsInWords(decisions);
    const by = restored ? operatorOf(context.environment) : undefined;
    const trail = await replayHeads(ports, { dryRun, by });
    const recordings = [...new Set([...ledger.erasedAgain, ...archive.erasedAgain])];
    const locks = new Map<string, Lock>();
    for (const id of dryRun ? recordings : []) {
      const row = await catalogue.recordings.find(id);
      const lock = row && (await lockThatKeeps(row, { ...services, at: context.clock.now() }, work.signal));
      if (lock !== undefined) locks.set(id, lock);
    }
    work.end();
    const refused = ledger.refused + archive.refused;
    const counts = { writtenAgain, decisionsAgain, refused, trail };
    const certificates = ledger.certificates + archive.certificates;
    const locked = [...locks].map(([recording, lock]) => ({ recording, lock: shownLock(lock) }));
    const shown = {
      ...{ dryRun, certificates, erasedAgain: recordings, decisions, ...counts },
      ...(locked.length === 0 ? {} : { locked }),
    };
    answer(context, json, shown, () =>
      replayInWords({ ...counts, recordings, locks, decided, dryRun, at: context.clock.now() }),
    );

    const left = recordings.length + writtenAgain + decisionsAgain + (decided === '' ? 0 : 1);

    return refused > 0 || trail === 'other' || (dryRun && left > 0) ? 3 : 0;
  }).finally(work.end);
}

function replayInWords(replayed: {
  recordings: readonly RecordingId[];
  locks: ReadonlyMap<string, Lock>;
  decided: string;
  decisionsAgain: number;
  writtenAgain: number;
  trail: TrailAfterReplay;
  refused: number;
  dryRun: boolean;
  at: number;
}): string[] {
  const { recordings, locks, decided, decisionsAgain, writtenAgain, trail, refused, dryRun, at } = replayed;
  const written = (count: number, what: string): string[] => {
    const verb = dryRun ? 'would be' : count === 1 ? 'is' : 'are';

    return count === 0 ? [] : [`${counted(count, what)} that the ledger lacked ${verb} written into it again`];
  };
  const copies = 'copies of certificates or decisions are';

  return [
    ...recordings.map((id) => {
      const lock = locks.get(id);
      const but = lock === undefined ? '' : `, but ${lockInWords(lock)}`;

      return `${id}  ${dryRun ? 'would be erased again' : 'erased again'}${but}`;
    }),
    `${counted(recordings.length, 'recording that was', 'recordings that were')} erased had come back (${localTime(at)})`,
    ...(decided === '' ? [] : [`decisions ${dryRun ? 'that would be ' : ''}carried out again: ${decided}`]),
    ...written(decisionsAgain, 'decision'),
    ...written(writtenAgain, 'certificate'),
    ...(trail === 'fits' ? [] : [trailInWords[trail]]),
    ...(refused === 0
      ? []
      : [
          `${counted(refused, 'copy of a certificate or decision is', copies)} not what was signed, or by a key that is not trusted`,
        ]),
  ];
}

const trailInWords: Record<Exclude<TrailAfterReplay, 'fits'>, string> = {
  other:
    'the audit trail is not the one that was signed. If you restored an older catalogue, give --restored. If not, see preavis certificates verify',
  acknowledged: 'that an older catalogue was put back is signed, and noted for preavis certificates verify',
};
