import { randomBytes } from 'node:crypto';
import { makePeakKeeper } from '../audio/peaks.ts';
import { nameOfPurpose } from '../config/purposeRules.ts';
import type { BundlePorts } from '../evidence/bundle/bundle.ts';
import { fetchTimeStamp } from '../evidence/bundle/timestamp.ts';
import { soundsFolder } from './prompts.ts';
import type { Archives } from '../archive/archives.ts';
import type { Services } from './services.ts';

/** @param timestampUrl where to have bundles stamped; undefined: nowhere */
export async function bundlePorts(
  services: Services & Archives,
  { version, timestampUrl }: { version: string; timestampUrl: string | undefined },
): Promise<BundlePorts> {
  const { config, catalogue } = services;

  return {
    ...services,
    soundsFolder: soundsFolder(config),
    signer: await services.signer(),
    madeBy: `preavis ${version}`,
    companyOf: (controller) => (controller === null ? config.controller : config.controllers[controller])?.name,
    timezone: config.schedule.timezone,
    peaksOf: async (id) => {
      const kept = await catalogue.recordings.peaks(id);

      return kept === undefined ? undefined : makePeakKeeper(config.privacy.numberKey).read(kept, id);
    },
    nameOf: (purpose, language) => nameOfPurpose(config.purposes, purpose, language),
    stamp:
      timestampUrl === undefined
        ? undefined
        : (sha256, signal) =>
            fetchTimeStamp(timestampUrl, sha256, {
              nonce: randomBytes(8).readBigUInt64BE() >> 1n,
              authorityFile: config.evidence.timestampAuthorityFile,
              signal,
            }),
  };
}
