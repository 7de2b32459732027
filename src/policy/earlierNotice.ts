import { possibleModes, type ConsentMode, type ConsentPurpose } from '../config/consent.ts';
import { law } from '../config/law.ts';
import type { LineConfig, PurposeConfig } from '../config/purposeSchema.ts';
import type { CallId } from '../core/ids.ts';
import type { Prompt } from '../prompts/library.ts';

/** Who has heard the whole notice lately may hear a shorter one. */

/** A sentence that was heard whole in an earlier call. `finishedAt`: Asterisk's time of its end, ms. */
export type HeardSentence = { call: CallId; sha256: string; finishedAt: number };

/** The earlier notice that counts for a call. `finishedAt`: Asterisk's time of its end, ms. */
export type EarlierNotice = { call: CallId; finishedAt: number };

/**
 * Whether the law lets an earlier notice count. Not where it wants purpose and time told before each recording, nor where it wants a consent,
 * which is asked for with all that it is for (GDPR art. 7, DSK of 23 March 2018).
 */
export function earlierNoticeCounts(
  purposes: readonly Pick<PurposeConfig, 'jurisdiction' | 'kind'>[],
  mode: ConsentMode,
): boolean {
  const rules = purposes.map(({ jurisdiction, kind }) => law[jurisdiction][kind]);

  return (
    mode !== 'optIn' &&
    rules.every((rule) => rule !== undefined && !rule.tellsDuration && rule.leastConsent !== 'optIn')
  );
}

type ToldPurpose = ConsentPurpose & Pick<PurposeConfig, 'jurisdiction'>;

/** The modes of consent in which a caller of this line may hear the shorter notice. Who marks an agreement has its purpose from a whole one. */
export function shortenedModes({ codes }: Pick<LineConfig, 'codes'>, purposes: readonly ToldPurpose[]): ConsentMode[] {
  if (codes?.agreement !== undefined || purposes.length === 0) return [];

  return possibleModes(purposes).filter((mode) => earlierNoticeCounts(purposes, mode));
}

/** Why nobody on this line hears the shorter notice; undefined where somebody may. */
export function neverShortened(line: Pick<LineConfig, 'codes'>, purposes: readonly ToldPurpose[]): string | undefined {
  if (shortenedModes(line, purposes).length > 0) return undefined;
  if (line.codes?.agreement !== undefined) return 'it has codes.agreement';
  const strict = purposes.find((purpose) => !earlierNoticeCounts([purpose], 'announce'));

  return strict === undefined
    ? 'its callers are asked (optIn)'
    : `all of it is said before each recording for ${strict.id} (${strict.kind} in ${strict.jurisdiction})`;
}

/** The newest call in which every one of these sentences was heard whole, by its sound; undefined where there is none. */
export function earlierNotice(
  notice: readonly Pick<Prompt, 'sha256'>[],
  heard: readonly HeardSentence[],
): EarlierNotice | undefined {
  if (notice.length === 0) return undefined;
  const calls = [...new Set(heard.map(({ call }) => call))];
  const ends = calls.flatMap((call): EarlierNotice[] => {
    const times = notice.flatMap(
      ({ sha256 }) => heard.find((each) => each.call === call && each.sha256 === sha256)?.finishedAt ?? [],
    );

    return times.length < notice.length ? [] : [{ call, finishedAt: Math.max(...times) }];
  });

  return ends.toSorted((one, other) => other.finishedAt - one.finishedAt)[0];
}
