import type { AriQueries } from '../ari/port.ts';
import type { CallWitness } from '../catalogue/rows.ts';
import { PreavisError } from '../core/errors.ts';
import { lastCelLine, tellsOfBridges } from './celFile.ts';
import { logsSounds } from './witness.ts';

export type WitnessCheck = {
  ari: Pick<AriQueries, 'identity' | 'hasModule'>;
  celFile: string;
  /** What it said of the newest call that it was asked about; undefined for none. */
  newest: CallWitness | undefined;
};

const cannot = (problem: string): PreavisError => new PreavisError('witness_unusable', problem);

/**
 * Whether the second witness works, as far as can be seen from here: ARI does not tell which events CEL logs. A warning, or
 * undefined when all is well. Throws witness_unusable.
 */
export async function checkWitness({ ari, celFile, newest }: WitnessCheck): Promise<string | undefined> {
  const { version } = await ari.identity();
  if (!logsSounds(version)) {
    return `Asterisk ${version} does not log sounds; 20.16, 21.11, 22.6 and later do. Receipts say "unavailable"`;
  }
  if (!(await ari.hasModule('cel_custom.so'))) throw cannot('Asterisk has not loaded cel_custom.so');
  const last = await lastCelLine(celFile);
  if (last === 'none') {
    return `no sound is in ${celFile} yet. Make a call that Préavis announces, then look again`;
  }
  if (last === 'foreign') {
    throw cannot(
      `${celFile}: no line at its end tells of a sound in the form of config/asterisk/cel_custom.conf. See that ` +
        'cel.conf logs STREAM_BEGIN and STREAM_END and has no dateformat',
    );
  }
  if (newest === 'missing') {
    return `the sentences of the newest call were not in ${celFile}. See that it is this Asterisk's, and that Asterisk has read cel.conf and cel_custom.conf`;
  }
  if (newest === 'disagrees') return 'it does not agree with what the newest caller heard: see its receipt';

  return (await tellsOfBridges(celFile))
    ? undefined
    : `no line near the end of ${celFile} tells who came into a bridge. Unless no caller was connected yet, let cel.conf log ` +
        'BRIDGE_ENTER and BRIDGE_EXIT as well: without, what is recorded while serve is away becomes silence';
}
