import type { Command } from 'commander';
import { jsonOption, type RunAs } from './commandLine.ts';

/** Arguments of the commands that prove to others how a caller was told. */

export function addEvidence(root: Command, run: RunAs): void {
  const evidence = root.command('evidence').description('prove to others how a caller was told');
  evidence
    .command('bundle <id>')
    .description('make one signed ZIP file with a recording, its receipt, the notice and its history; audited')
    .option('--purpose <purpose>', 'the purpose it is needed for (default: the one that is evidence, or the only one)')
    .requiredOption('-o, --output <file>', 'the file to make, for its owner only')
    .option('--timestamp <url>', 'have it stamped by this authority (RFC 3161; default: evidence.timestampUrl)')
    .option('--force', 'replace a file that is there already')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/evidence.ts')).evidenceBundle));
  evidence
    .command('verify <file>')
    .description('check a bundle, on any machine: needs no configuration, no catalogue and no network')
    .option('--key <kid>', 'the key that must have signed it, as `preavis evidence key` prints it')
    .option('--public-key <file>', 'the same, as a file in PEM')
    .option(
      '--authority <file>',
      'the certificates (PEM) of the time-stamping authority that must have stamped it; needs openssl',
    )
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/evidence.ts')).evidenceVerify));
  evidence
    .command('key')
    .description('print the public key (PEM, kid, JWK) for others to verify by')
    .option(...jsonOption)
    .action(run(async () => (await import('../commands/evidence.ts')).evidenceKey));
}
