import { whatLiesElsewhere } from '../../archive/archives.ts';
import { nothingTried } from '../../store/capabilities.ts';
import { moveArchive, type ArchiveMoved, type MoveArchivePorts } from '../../archive/move/steps.ts';
import { protectionProblems } from '../../archive/protection.ts';
import { within } from '../../store/stoppable.ts';
import type { EncryptedStore } from '../../store/encryption/store.ts';
import type { Catalogue } from '../../catalogue/catalogue.ts';
import { isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { PreavisError, type ErrorCode } from '../../core/errors.ts';
import { makeHeadMover } from '../../retention/heads/moveHeads.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode } from '../context.ts';
import { localTime } from '../localTime.ts';
import { beginProgress, waitMs } from '../progress.ts';
import { operatorOf } from '../operator.ts';
import { withArchives } from '../withArchives.ts';

type ArchiveMoveOptions = {
  dryRun: boolean;
  removeOld: boolean;
  decrypt: boolean;
  /** The location of an archive whose objects were brought here by other means. */
  moved: string | undefined;
  json: boolean;
};

const mebibyte = 1024 * 1024;

/**
 * Brings what lies in the archives of archive.former into the configured one. Exit 3 when something could not be moved or removed, or is
 * for people to look at.
 */
export async function archiveMove(context: CommandContext, options: ArchiveMoveOptions): Promise<ExitCode> {
  const { dryRun, removeOld, decrypt, json } = options;
  const config = await configOf(context);
  const work = beginProgress('not everything was moved', json);

  return withArchives<ExitCode>(context, config, operatorOf(context.environment), async (services) => {
    const { catalogue, store, former } = services;
    const sources = await sourcesOf(options.moved, former, store, catalogue);
    const common: Omit<MoveArchivePorts, 'source' | 'from'> = {
      ...services,
      target: store,
      heads: makeHeadMover(services),
      refuseUnprotected: async (signal) => {
        const { bucket } = config.archive.minio;
        // Whether a lock holds is not tried: each is read back.
        const capabilities = await within(signal, () => store.capabilities(signal));
        const seen = { kind: store.kind, bucket, encrypted: store.encryption, capabilities, trial: nothingTried };
        const refusal = protectionProblems(config.purposes, seen).find(({ severity }) => severity === 'refusal');
        if (refusal !== undefined) throw new PreavisError(refusal.code, refusal.problem, { hint: refusal.hint });
      },
    };
    const archives: ArchiveMoved[] = [];
    try {
      for (const { from, source } of sources) {
        const { signal, progress } = work;
        archives.push(
          await moveArchive({ ...common, from, source }, { dryRun, removeOld, decrypt, waitMs, signal, progress }),
        );
      }
    } finally {
      work.end();
    }
    answer(context, json, { dryRun, archives: archives.map(asJson) }, () =>
      archives.map((archive) => inWords(archive, options)),
    );

    return archives.some((archive) => needsAttention(archive, options)) ? 3 : 0;
  });
}

type Source = { from: string; source: EncryptedStore | undefined };

async function sourcesOf(
  movedFrom: string | undefined,
  former: readonly EncryptedStore[],
  store: EncryptedStore,
  catalogue: Catalogue,
): Promise<Source[]> {
  const others = await whatLiesElsewhere({ store, former }, catalogue);
  const used = others.map(({ archive }) => archive);
  const known = used.length === 0 ? 'none' : used.join(', ');
  if (movedFrom !== undefined) {
    if (used.includes(movedFrom)) return [{ from: movedFrom, source: undefined }];
    throw new PreavisError(
      'usage',
      `--moved is an archive that recordings lie in, other than the configured one: ${known}`,
    );
  }
  if (former.length === 0) {
    throw new PreavisError(
      'usage',
      `archive.former names no earlier archive; recordings lie in others than the configured one: ${known}`,
      {
        hint: 'Name its configuration file in archive.former. If its objects were moved here by other means, give --moved.',
      },
    );
  }

  return former.map((source) => ({ from: source.location, source }));
}

function needsAttention(
  { failed, documents, strays, removal, left, ...told }: ArchiveMoved,
  { dryRun, removeOld }: ArchiveMoveOptions,
): boolean {
  if (dryRun) return false;
  const { receiptsMended, legalHolds, holdsUnknown, otherEncryption } = told;
  const forPeople = [failed, receiptsMended, legalHolds, holdsUnknown, otherEncryption, documents.left];
  const isRemoved = removal === undefined || (removal !== 'heldBack' && left.copies + removal.documentsLeft === 0);

  return (
    left.recordings > 0 || forPeople.some((each) => each.length > 0) || strays.unknown > 0 || (removeOld && !isRemoved)
  );
}

function asJson({ left, removal, ...archive }: ArchiveMoved): object {
  return {
    ...archive,
    removal:
      typeof removal === 'object'
        ? { ...removal, locked: removal.locked.map(({ recording, until }) => ({ recording, until: isoTime(until) })) }
        : (removal ?? null),
    left: { ...left, lockedUntil: isoTime(left.lockedUntil) },
  };
}

const recordings = (count: number): string => counted(count, 'recording');

const advice: Partial<Record<ErrorCode, string>> = {
  archive_object_missing: 'it is not there: restore it from a backup, or find out who removed it',
  recording_altered: 'what lies there is not what was recorded: do not use it, and find out who changed it',
};

function inWords(archive: ArchiveMoved, { dryRun, removeOld }: ArchiveMoveOptions): string {
  const { from, to, moved, bytes, failed, documents, strays, isSamePlace, left } = archive;
  const size = `${(bytes / mebibyte).toFixed(1)} MiB`;
  if (dryRun) return `${from}: ${recordings(moved)} (${size}) would be moved to ${to}${keptThere(left)}`;

  return [
    ...failed.map(
      ({ recording, code }) => `${recording}: ${code}${advice[code] === undefined ? '' : `: ${advice[code]}`}`,
    ),
    ...archive.receiptsMended.map(
      (id) => `${id}: its receipt there was missing or another; that of the catalogue was taken`,
    ),
    ...archive.otherEncryption.map(
      (id) => `${id}: it lay here already, and is not encrypted as the configuration says; the audit trail says how`,
    ),
    ...archive.legalHolds.map(
      (id) => `${id}: somebody has set a legal hold there, and the new archive has none: set it again`,
    ),
    ...archive.holdsUnknown.map((id) => `${id}: whether somebody has set a legal hold there could not be asked`),
    ...documents.left.map(
      (key) => `${key}: it was not moved: something else lies under its name, or it is none of ours`,
    ),
    ...(strays.unsettled === 0
      ? []
      : [
          `${counted(strays.unsettled, 'object')} there may be of recordings that lie there whole, which the catalogue does not know: run preavis recordings reconcile, then this again`,
        ]),
    ...(strays.unknown === 0
      ? []
      : [
          counted(
            strays.unknown,
            'object there belongs to no recording that is kept, and was left',
            'objects there belong to no recording that is kept, and were left',
          ),
        ]),
    `${from}: ${recordings(moved)} (${size}) and ${counted(documents.moved, 'certificate')} are in ${to}, read back whole`,
    ...(isSamePlace ? ['Both names are of one place: nothing was copied.'] : removalInWords(archive, removeOld)),
  ].join('\n');
}

function removalInWords({ removal, left, from, documents, strays }: ArchiveMoved, removeOld: boolean): string[] {
  if (removal === 'heldBack') return ['Nothing was removed there: some recordings could not be moved, which may pass.'];
  const lines =
    removal === undefined
      ? []
      : [
          ...removal.failed.map(({ recording, code }) => `${recording}: its old copy was not removed: ${code}`),
          ...removal.locked.map(({ recording, until }) => {
            const how =
              until === null
                ? 'a legal hold keeps its old copy'
                : `a lock keeps its old copy until ${localTime(until)}`;

            return `${recording}: ${how}`;
          }),
          `${counted(removal.removed, 'old copy', 'old copies')} removed there, after what is here was read back once more`,
        ];
  const isEmpty = left.recordings + left.copies + strays.unsettled === 0;
  if (isEmpty && (removal === undefined ? documents.moved : removal.documentsLeft) === 0) {
    return [...lines, `The catalogue knows of nothing in ${from} any more: take it out of archive.former.`];
  }
  const next = removeOld ? '' : '; preavis archive move --remove-old removes it';

  return [...lines, `Keep it in archive.former${keptThere(left)}${next}`];
}

function keptThere({ recordings: count, copies, lockedUntil }: ArchiveMoved['left']): string {
  const parts = [
    ...(count === 0 ? [] : [recordings(count)]),
    ...(copies === 0 ? [] : [counted(copies, 'old copy', 'old copies')]),
    ...(lockedUntil === null ? [] : [`locked until ${localTime(lockedUntil)} at the latest`]),
  ];

  return parts.length === 0 ? '' : `; there: ${parts.join(', ')}`;
}
