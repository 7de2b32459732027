import { refuseTaken } from '../../archive/verifiedCopy.ts';
import { logEmptied, logHeld, logWaitMs } from '../../catalogue/sqlite/emptyLog.ts';
import { purposeOf } from '../../config/purposeRules.ts';
import { isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { makeNumberReader } from '../../call/plan/callerStore.ts';
import { makeIds } from '../../core/ids.ts';
import { erasureBy } from '../../retention/asked.ts';
import { addArchives } from '../../services/store.ts';
import { articleOf, type Exception } from '../../dataSubject/decideErasure.ts';
import { eraseForPerson } from '../../dataSubject/erase.ts';
import { shownErasure } from '../../dataSubject/shownErasure.ts';
import { exportForPerson, type SubjectExport } from '../../dataSubject/export.ts';
import { subjectLanguages } from '../../dataSubject/languages.ts';
import type { SubjectErasure, SubjectRecording } from '../../dataSubject/personRequest.ts';
import type { AbsentWhy } from '../../dataSubject/personIndex.ts';
import { asController } from '../../config/controllerView.ts';
import type { Person } from '../../dataSubject/findCalls.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode, type Program } from '../context.ts';
import { oneOf, requireFileName } from '../options.ts';
import { beginProgress, waitMs } from '../progress.ts';
import { operatorOf } from '../operator.ts';
import { controllerAsked, hasCalls, personAsked, searchFor, type PersonOptions } from '../personAsked.ts';
import { withArchives } from '../withArchives.ts';
import { withServices } from '../withServices.ts';
import { languageOf } from '../../dataSubject/answerFor.ts';
import { answerInWords, checkAnswer, prepareAnswer, type AnswerOptions } from './subjectAnswer.ts';

type SubjectExportOptions = PersonOptions & {
  output: string;
  language: string | undefined;
  force: boolean;
  json: boolean;
};

/**
 * Puts what is kept of a person into a ZIP (GDPR art. 15). Exit 3 when something of it could not be put in. For one that nothing is kept
 * of no file is made.
 */
export async function subjectExport(
  context: CommandContext,
  options: SubjectExportOptions,
  { firstLine }: Pick<Program, 'firstLine'>,
): Promise<ExitCode> {
  const { output, controller: named, language: asked, force, json } = options;
  if (asked !== undefined) oneOf('--language', asked, subjectLanguages);
  requireFileName(output);
  const config = await configOf(context);
  const person = await personAsked(options, firstLine, config, context.clock.now());
  const target = { file: output, replace: force };
  await refuseTaken(target);

  const operator = operatorOf(context.environment);

  return withServices<ExitCode>(context, config, operator, async (services) => {
    const { catalogue } = services;
    const controller = await controllerAsked(named, config, catalogue);
    const { shown, gaps, none, notes } = await searchFor(person, catalogue, config);
    const isKnown =
      (await hasCalls(catalogue, person, controller)) ||
      (controller === undefined &&
        person.kind === 'caller' &&
        (await catalogue.preferences.find(person.hash)) !== undefined);
    if (!isKnown) {
      const listed = { recordings: 0, absent: [], unreadable: [], numberUnread: false, ...shown };
      const nothing = { calls: 0, file: null, language: null, ...listed };
      answer(context, json, nothing, () => [...none, ...gaps]);
      return gaps.length > 0 ? 3 : 0;
    }
    const numberOf = makeNumberReader(config.privacy.numberKey);
    const seen = asController(config, controller ?? null);
    const ports = { ...(await addArchives(services)), config: seen, numberOf, operator };
    const language = await languageOf(asked, { person, controller }, catalogue, config);
    const work = beginProgress('nothing was exported', json);
    const progress = (done: number): void => {
      work.progress(done, done);
    };
    const order = { person, controller, language, target, progress, signal: work.signal };
    const made = await exportForPerson(ports, order).finally(work.end);
    const { calls, included, absent, unreadable, numberUnread } = made;
    const listed = { recordings: included.length, absent, unreadable, numberUnread, ...shown };
    const document = { calls, file: output, language, ...listed };
    answer(context, json, document, () => [exportInWords(made, output), ...notes, ...gaps]);

    return numberUnread || absent.length + unreadable.length + gaps.length > 0 ? 3 : 0;
  });
}

function whyInWords(why: AbsentWhy): string {
  switch (why.reason) {
    case 'erased':
      return `erased${why.at === null ? '' : ` at ${why.at}`}${why.certificate === null ? '' : ` (certificate ${why.certificate})`}`;
    case 'unreadable':
      return `could not be read (${why.code})`;
    case 'unfinished':
    case 'lost':
    case 'discarded':
    case 'unusable':
      return why.reason;
  }
}

function exportInWords({ calls, included, absent, unreadable, numberUnread }: SubjectExport, output: string): string {
  return [
    ...absent.map(({ id, why }) => `${id}  not in it: ${whyInWords(why)}`),
    ...unreadable.map((id) => `${id}  a call whose rows cannot be read`),
    ...(numberUnread ? ['the number: not in it, since privacy.numberKey is not the key that it is kept under'] : []),
    `${counted(calls, 'call')}, ${counted(included.length, 'recording')} in ${output}`,
    ...(included.length === 0
      ? []
      : ['it holds the voices of others, too: look through it before you give it away (GDPR art. 15(4))']),
  ].join('\n');
}

type SubjectEraseOptions = AnswerOptions &
  PersonOptions & {
    includeEvidence: boolean;
    json: boolean;
  };

/** All is decided after all calls were looked at: one that is interrupted before has decided nothing. */
const perhapsUndecided =
  'perhaps nothing was decided yet; what was is finished by the next retention run: then run it again without --apply to see what is left';

/**
 * Erases what is kept of a person (GDPR art. 17), but for what must be kept; without `apply` it only says what it would do. Exit 3 when
 * something remains.
 */
export async function subjectErase(
  context: CommandContext,
  options: SubjectEraseOptions,
  { firstLine }: Pick<Program, 'firstLine'>,
): Promise<ExitCode> {
  const { controller: named, apply, includeEvidence, json } = options;
  await checkAnswer(options);
  const config = await configOf(context);
  const person = await personAsked(options, firstLine, config, context.clock.now());
  const undone = apply ? perhapsUndecided : 'nothing was changed';
  const work = beginProgress(undone, json);

  const operator = operatorOf(context.environment);

  return withArchives<ExitCode>(context, config, operator, async (services) => {
    const { catalogue } = services;
    const controller = await controllerAsked(named, config, catalogue);
    const { shown, gaps, none, notes } = await searchFor(person, catalogue, config);
    const writeAnswer = await prepareAnswer(
      options,
      { person, controller },
      { catalogue, config, clock: context.clock },
    );
    // Who asked for it is in the certificate.
    const erasing = erasureBy({ rule: 'subject', operator }, { ...services, actor: 'command' });
    const language = await languageOf(options.language, { person, controller }, catalogue, config);
    const told = { language, keysNotSearched: shown.unsearchedKeys };
    const request = { id: makeIds().request(), reference: null, told };
    const result = await eraseForPerson(
      { ...services, ...erasing, operator },
      {
        person,
        request,
        controller,
        apply,
        includeEvidence,
        kindOf: (purpose) => purposeOf(config.purposes, purpose)?.kind,
        waitMs,
        signal: work.signal,
        progress: (calls) => {
          work.progress(calls, calls);
        },
      },
    );
    const isLogEmptied = !apply || (await logEmptied(catalogue, logWaitMs));
    const answered = await writeAnswer?.(result, shown.unsearchedKeys.length > 0);
    const document = {
      ...shownErasure(result, apply),
      ...shown,
      logEmptied: isLogEmptied,
      ...(answered === undefined ? {} : { answer: answered }),
    };
    answer(context, json, document, () => [
      ...(isNothing(result) ? none : [erasureInWords(result, person, apply), ...notes]),
      ...gaps,
      ...(isLogEmptied ? [] : [logHeld]),
      ...(answered === undefined ? [] : [answerInWords(answered)]),
    ]);

    const isUnanswered = (answered?.failure ?? null) !== null;

    return remains(result) || gaps.length > 0 || !isLogEmptied || isUnanswered ? 3 : 0;
  }).finally(work.end);
}

const isNothing = ({ calls, direct, language }: SubjectErasure): boolean => calls + direct === 0 && !language;

const isDone = ({ outcome }: SubjectRecording): boolean => ['erase', 'erased', 'gone'].includes(outcome.kind);

const remains = ({ recordings, open, unreadable, copyFailure }: SubjectErasure): boolean =>
  !recordings.every(isDone) || open.length + unreadable.length > 0 || copyFailure !== undefined;

/** @param isAlone whether nothing of another ground keeps it */
function exceptionInWords(exception: Exception, isAlone: boolean): string {
  const article = articleOf(exception);
  const law = article === null ? '' : ` (${article})`;
  switch (exception.ground) {
    case 'hold':
      return `a hold, ${exception.hold}, until ${isoTime(exception.until)}${law}`;
    case 'lock':
      return `an Object Lock in the archive, ${exception.mode}, until ${isoTime(exception.until)}`;
    case 'obligation':
      return `${exception.purpose}: the law wants it kept${law}`;
    case 'evidence':
      return `${exception.purpose}: evidence for legal claims${law}${isAlone ? '; --include-evidence erases it' : ''}`;
    case 'unknown':
      return `${exception.purpose}: the configuration does not have this purpose, so nobody can say whether it must be kept`;
  }
}

function outcomeInWords({ outcome, status }: SubjectRecording, applied: boolean): string {
  switch (outcome.kind) {
    case 'erase':
      return 'would be erased';
    case 'erased':
      return `erased, certificate ${outcome.certificate}`;
    case 'kept': {
      const ended =
        outcome.ended.length === 0 ? '' : `; ${applied ? 'ended' : 'would end'}: ${outcome.ended.join(', ')}`;
      const isAlone = outcome.exceptions.every(({ ground }) => ground === 'evidence');
      const why = outcome.exceptions.map((each) => exceptionInWords(each, isAlone)).join(' and ');

      return `kept for ${why}${ended}`;
    }
    case 'unfinished':
      return 'not finished: run it again after the call';
    case 'lost':
      return 'its file is not there; run it again when it has turned up';
    case 'gone':
      return status;
    case 'failed':
      return `not erased (${outcome.code})`;
  }
}

/** How many of each status and purpose there are, in the order of their number. */
function countsInWords(recordings: readonly SubjectRecording[]): string[] {
  const counts = new Map<string, number>();
  for (const { status, purposes } of recordings) {
    const key = `${status}, for ${purposes.join(' and ')}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }

  return [...counts].toSorted(([, a], [, b]) => b - a).map(([what, count]) => `${count} ${what}`);
}

function erasureInWords(result: SubjectErasure, person: Person, applied: boolean): string {
  const { calls, recordings, unrecorded, direct, open, unreadable, language, copyFailure } = result;
  const done = recordings.filter(isDone).length;
  const areDone = (count: number): string => (applied ? (count === 1 ? 'is' : 'are') : 'would be');

  return [
    ...recordings.map((each) => `${each.id}  ${outcomeInWords(each, applied)}`),
    ...open.map((id) => `${id}  a call that goes on: run it again after it`),
    ...unreadable.map((id) => `${id}  a call whose rows cannot be read`),
    ...(applied ? [] : countsInWords(recordings)),
    `${counted(calls, 'call')}; ${counted(recordings.length, 'recording')}, ${done} of them ${areDone(done)} erased`,
    ...(unrecorded === 0
      ? []
      : [
          person.kind === 'caller'
            ? `whose ${counted(unrecorded, 'call')} without a recording ${unrecorded === 1 ? 'it was' : 'they were'} ${areDone(unrecorded)} forgotten`
            : `that this telephone was in ${counted(unrecorded, 'call')} without a recording ${applied ? 'is' : 'would be'} forgotten`,
        ]),
    ...(direct === 0
      ? []
      : [
          `that their direct number was dialled in ${counted(direct, 'call')} ${applied ? 'is' : 'would be'} forgotten`,
        ]),
    ...(language ? [`the remembered language ${applied ? 'is' : 'would be'} forgotten`] : []),
    ...(copyFailure === undefined
      ? []
      : [`certificates and decisions could not be copied (${copyFailure}): the next retention run does it`]),
    ...(applied ? [] : ['Nothing was changed: give --apply to do it. It cannot be undone.']),
  ].join('\n');
}
