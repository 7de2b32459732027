import { existsSync } from 'node:fs';
import type { Catalogue, CataloguePart } from '../catalogue/catalogue.ts';
import type { Config } from '../config/schema.ts';
import { openSigner, type Signer } from '../core/crypto/signing.ts';
import { makeLedger, type Ledger } from '../retention/certificates/ledger.ts';
import { requireOneKey, requireOneLedger, type SharedEvidencePorts } from '../retention/certificates/sharedEvidence.ts';
import { besideCatalogue } from './catalogue.ts';
import { serveNameOf } from './serveName.ts';

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
function makeTrust(config: Config, signer: () => Promise<Signer>): (kid: string) => Promise<boolean> {
  const file = signingKeyFile(config);

  // Only looking makes no key.
  return async (kid) => config.evidence.trustedKeys.includes(kid) || (existsSync(file) && (await signer()).kid === kid);
}

export type Evidence = Pick<SharedEvidencePorts, 'ledger' | 'signer' | 'trusts'> & {
  /** Throws ledger_incomplete where other machines share the catalogue, and not the ledger. */
  requireLedger: () => Promise<void>;
};

/** Key and ledger of a process; where other machines share the catalogue, only if they share these as well. */
export function makeEvidence(
  config: Config,
  catalogue: SharedEvidencePorts['catalogue'] &
    NonNullable<Parameters<typeof makeSigner>[1]> &
    Pick<Catalogue, 'ledgerLock'>,
): Evidence {
  const signer = makeSigner(config, catalogue);
  const trusts = makeTrust(config, signer);
  const ledger = ledgerOf(config, catalogue);
  if (serveNameOf(config).pbx === undefined) {
    return { signer, trusts, ledger, requireLedger: () => Promise.resolve() };
  }
  const requireLedger = (): Promise<void> => requireOneLedger({ catalogue, ledger });
  const check = async (): Promise<void> => {
    await ledger.check();
    await requireLedger();
  };

  return {
    signer: () => requireOneKey({ catalogue, signer, trusts }),
    trusts,
    ledger: { ...ledger, check },
    requireLedger,
  };
}

export function signingKeyFile(config: Config): string {
  return config.evidence.signingKeyFile ?? besideCatalogue(config, 'signing-key.pem');
}

/** @param catalogue without it, it can only be looked at: machines that share the catalogue change the ledger one after the other */
export function ledgerOf(config: Config, catalogue?: Pick<Catalogue, 'ledgerLock'>): Ledger {
  return makeLedger(config.evidence.ledgerFile ?? besideCatalogue(config, 'erasures.jsonl'), catalogue?.ledgerLock);
}
