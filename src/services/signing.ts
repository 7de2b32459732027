import { existsSync } from 'node:fs';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { openSigner, type Signer } from '../core/crypto/signing.ts';
import { makeLedger, type Ledger } from '../retention/certificates/ledger.ts';
import { besideCatalogue } from './catalogue.ts';

/** The signing key and the ledger. */

/** Opened once, and again only where that failed. */
export function makeSigner(
  config: Config,
  catalogue?: CataloguePart<{ certificates: 'count'; decisions: 'count'; chainHeads: 'last' }>,
): () => Promise<Signer> {
  const file = signingKeyFile(config);
  // One that has signed before and is gone is not replaced in silence.
  const mayMake = async (): Promise<boolean> =>
    config.evidence.trustedKeys.length > 0 ||
    catalogue === undefined ||
    ((await catalogue.certificates.count()) + (await catalogue.decisions.count()) === 0 &&
      (await catalogue.chainHeads.last()) === undefined);
  let opened: Promise<Signer> | undefined;

  return () => {
    opened ??= openSigner(file, mayMake).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });

    return opened;
  };
}

/** The key that is used now, and those that evidence.trustedKeys names. */
export function makeTrust(config: Config, signer: () => Promise<Signer>): (kid: string) => Promise<boolean> {
  const file = signingKeyFile(config);

  // Only looking makes no key.
  return async (kid) => config.evidence.trustedKeys.includes(kid) || (existsSync(file) && (await signer()).kid === kid);
}

export function signingKeyFile(config: Config): string {
  return config.evidence.signingKeyFile ?? besideCatalogue(config, 'signing-key.pem');
}

export function ledgerOf(config: Config): Ledger {
  return makeLedger(config.evidence.ledgerFile ?? besideCatalogue(config, 'erasures.jsonl'));
}
