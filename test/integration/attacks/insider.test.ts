/** The attack table of docs/security.md, row by row: each attack is made, and each answer is looked at. */
import { spawnSync } from 'node:child_process';
import { appendFile, cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { sweepSpool } from '../../../src/archive/finish/finish.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import { openSigner } from '../../../src/core/crypto/signing.ts';
import { issueCertificate, readCertificate } from '../../../src/retention/certificates/certificate.ts';
import { headKey, issueHead, readHead } from '../../../src/retention/heads/chainHead.ts';
import { copyHeads, signHead } from '../../../src/retention/heads/keepHeads.ts';
import {
  bundleNow,
  headFiles,
  meddle,
  recipe,
  reconcile,
  relink,
  replaceCatalogue,
  replay,
  site,
  verify,
  withDatabase,
  type Site,
  type Untouched,
} from '../../support/retention/attacks.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { erasePass } from '../../support/retention/erasing.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
const hasTools = ['sqlite3', 'openssl'].every((tool) => spawnSync('which', [tool]).status === 0);
let untouched: Untouched;
const aSite = () => untouched(open);

beforeAll(async () => {
  untouched = await site(folder.path('site'), open);
});

const fits = 'the audit trail is what was signed';
const differs = 'the audit trail is another one';

type Attack = {
  who: string;
  did: string;
  attack: (site: Site) => unknown;
  /** What `certificates verify` says; undefined: no fault. */
  verify: RegExp | undefined;
  /** Of a bundle made afterwards. */
  bundle: string;
  recipe: typeof fits | typeof differs;
};

const copyLine = (id: string, event: string, detail: string, where: { id?: string; chain?: string } = {}): string =>
  `INSERT INTO audit (id, at, recording_id, event, from_status, to_status, actor, detail, chain) VALUES
   (${where.id ?? 'NULL'}, 1, '${id}', '${event}', NULL, NULL, 'serve', '${detail}', ${where.chain ?? 'NULL'});`;

/** Another history: the first line, or the one that says that bob has fetched it, is of somebody else. */
function rewrite(site: Site, from: 'the first line' | 'the newest lines' = 'the first line'): void {
  const where = from === 'the first line' ? 'id = 1' : `actor = 'user bob'`;
  meddle(site, `UPDATE audit SET actor = 'user carol' WHERE ${where}`);
  relink(site);
}

function erasedAgainLines(site: Site, chain: string): string {
  const lines: string[] = [];
  withDatabase(site.file, (database) => {
    const rows = database.prepare('SELECT recording_id AS id, sha256, number FROM certificates').all();
    for (const { id, sha256, number } of rows as { id: string; sha256: string; number: number }[]) {
      const detail = JSON.stringify({ certificate: { number, sha256 } });
      lines.push(copyLine(id, 'erased again by the ledger', detail, { chain }));
    }
  });

  return lines.join('\n');
}

/** The newest lines, and what else of the catalogue knows of them. */
function cutOff(site: Site): void {
  meddle(
    site,
    `DELETE FROM audit WHERE id >= (SELECT min(id) FROM audit WHERE event = 'erasure begun');
     DELETE FROM certificates; DELETE FROM chain_heads WHERE number > 1;
     UPDATE recordings SET status = 'archived' WHERE status = 'erased'`,
  );
}

const keyPorts = (site: Site) => {
  const catalogue = open(site.file, site.set.clock);

  return { ...site.set, catalogue };
};

const endsEarly = /^the audit trail ends at line \d+, before what was signed \(head 3, /m;
const isAnother = /^line \d+ of the audit trail is not the one that was signed \(head 3, /m;
const callErased = (site: Site): void => {
  meddle(site, `UPDATE recordings SET status = 'erased' WHERE id = '${site.kept}'`);
};

const callDiscarded = (site: Site): void => {
  meddle(site, `UPDATE recordings SET status = 'discarded' WHERE id = '${site.kept}'`);
};

async function removeObjects({ set, folder: own, kept }: Site): Promise<void> {
  const row = await set.catalogue.recordings.find(kept);
  for (const key of [row?.objectKey, row?.receiptKey]) await rm(`${own}/archive/${key ?? ''}`);
}

async function putAllBack(site: Site): Promise<void> {
  await replaceCatalogue(site, site.older.catalogue);
  await rm(`${site.folder}/archive`, { recursive: true });
  for (const name of ['archive', 'erasures.jsonl']) {
    await cp(`${site.older.everything}/${name}`, `${site.folder}/${name}`, { recursive: true });
  }
}

const attacks: Attack[] = [
  {
    who: 'catalogue',
    did: 'added a line without a link at the end',
    attack: (site) => {
      meddle(site, copyLine(site.kept, 'the caller agreed', '{}'));
    },
    verify: /line \d+ of the audit trail has no link: it was put in by hand$/m,
    bundle: 'evidence_chain_broken',
    recipe: fits,
  },
  {
    who: 'catalogue',
    did: 'added a line in front of the first one',
    attack: (site) => {
      meddle(site, copyLine(site.kept, 'the caller agreed', '{}', { id: '-5' }));
    },
    verify: /line -5 of the audit trail was put in by hand$/m,
    bundle: 'holds',
    recipe: fits,
  },
  {
    who: 'catalogue',
    did: 'added a line behind the last one that there can be',
    attack: (site) => {
      meddle(site, copyLine(site.kept, 'the caller agreed', '{}', { id: '9007199254740993' }));
    },
    verify: /line 900719925474099\d of the audit trail was put in by hand$/m,
    bundle: 'evidence_chain_broken',
    recipe: fits,
  },
  {
    who: 'catalogue',
    did: 'changed a line',
    attack: (site) => {
      meddle(site, `UPDATE audit SET actor = 'user carol' WHERE actor = 'user bob'`);
    },
    verify: /line \d+ of the audit trail was changed$/m,
    bundle: 'evidence_chain_broken',
    recipe: differs,
  },
  {
    who: 'catalogue',
    did: 'rewrote and re-linked the trail, with a line without a link for each certificate that says it was erased again',
    attack: (site) => {
      rewrite(site);
      meddle(site, erasedAgainLines(site, 'NULL'));
    },
    verify:
      /^line \d+ of the audit trail is not the one that was signed \(head 3, [\s\S]*has no link: it was put in by hand\n1 \w+: the audit trail is not the one that it was signed with\n2 \w+: the audit trail is/m,
    bundle: 'evidence_chain_broken',
    recipe: differs,
  },
  {
    who: 'catalogue',
    did: 'the same with lines that are linked',
    attack: (site) => {
      meddle(site, erasedAgainLines(site, `'x'`));
      rewrite(site);
    },
    verify: isAnother,
    bundle: 'holds',
    recipe: differs,
  },
  {
    who: 'catalogue',
    did: 'the same, and gave every head a time that is long over',
    attack: (site) => {
      meddle(site, erasedAgainLines(site, `'x'`));
      rewrite(site);
      meddle(site, 'UPDATE chain_heads SET signed_at = 0; UPDATE certificates SET issued_at = 0');
    },
    verify:
      /^3 heads of the audit trail in the catalogue are not what was signed\nline \d+ of the audit trail is not the one that was signed /m,
    bundle: 'holds',
    recipe: differs,
  },
  {
    who: 'catalogue',
    did: 'said of a kept recording that it is discarded',
    attack: callDiscarded,
    verify: /: the catalogue says "discarded" of it, and the audit trail "archived"$/m,
    bundle: 'recording_gone',
    recipe: fits,
  },
  {
    who: 'catalogue',
    did: 'said of a kept recording that it is erased',
    attack: callErased,
    verify: /: it counts as erased, and no certificate says so$/m,
    bundle: 'recording_gone',
    recipe: fits,
  },
  {
    who: 'catalogue',
    did: 'the same, with the certificate of another recording',
    attack: (site) => {
      callErased(site);
      meddle(site, `UPDATE certificates SET recording_id = '${site.kept}' WHERE number = 2`);
    },
    verify: /: it is the certificate of another recording, or of another number \(2\)$/m,
    bundle: 'recording_gone',
    recipe: fits,
  },
  {
    who: 'catalogue',
    did: 'cut the newest lines off, with certificates and heads',
    attack: cutOff,
    verify: endsEarly,
    bundle: 'holds',
    recipe: differs,
  },
  {
    who: 'catalogue',
    did: 'put an older copy in its place',
    attack: (site) => replaceCatalogue(site, site.older.catalogue),
    verify: endsEarly,
    bundle: 'holds',
    recipe: differs,
  },
  {
    who: 'catalogue',
    did: 'put a new, empty one in its place',
    attack: async (site) => {
      await replaceCatalogue(site, undefined);
      open(site.file, site.set.clock);
    },
    verify: /^the audit trail is that of another catalogue than was signed \(head 3, /m,
    bundle: 'recording_unknown',
    recipe: differs,
  },
  {
    who: 'catalogue',
    did: 'cut off lines that came after the newest head',
    attack: async (site) => {
      await site.set.catalogue.auditTrail.append(site.kept, { event: 'fetched', actor: 'user bob' });
      meddle(site, 'DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)');
    },
    verify: undefined,
    bundle: 'holds',
    recipe: fits,
  },
  {
    who: 'ledger',
    did: 'cut lines off, or emptied it',
    attack: ({ set }) => truncate(set.ledger.file, 0),
    verify: /^head 3 of the audit trail is not in the ledger any more$/m,
    bundle: 'holds',
    recipe: fits,
  },
  {
    who: 'ledger',
    did: 'added a certificate and a head of a key of their own',
    attack: async ({ set, folder: own, kept }) => {
      const forger = await openSigner(`${own}/forged.pem`);
      const head = await readHead((await set.catalogue.chainHeads.last())?.jws ?? '');
      const { content } = await readCertificate((await set.catalogue.certificates.newest(1))[0]?.jws ?? '');
      const forged = await issueCertificate({ ...content, number: 3, recording: kept, objects: [] }, forger);
      const forgedHead = await issueHead({ ...head.content, number: 4, line: 10_000 }, forger);
      await appendFile(set.ledger.file, `${forged.jws}\n${forgedHead.jws}\n`);
    },
    verify:
      /^1 head of the audit trail was signed by the key \S+, which is not trusted\n3 \w+: only the ledger has it, signed by the key \S+, which is not trusted$/m,
    bundle: 'holds',
    recipe: fits,
  },
  {
    who: 'bucket',
    did: 'removed the heads',
    attack: ({ folder: own }) => rm(`${own}/archive/certificates/heads`, { recursive: true }),
    verify: /^head 3 of the audit trail is not in the archive any more$/m,
    bundle: 'holds',
    recipe: fits,
  },
  {
    who: 'bucket',
    did: 'wrote something else over the heads',
    attack: async ({ folder: own }) => {
      const heads = `${own}/archive/certificates/heads`;
      for (const name of await readdir(heads)) {
        if (name.endsWith('.jws')) await writeFile(`${heads}/${name}`, 'something else');
      }
    },
    verify:
      /^head 3 of the audit trail is not in the archive any more\n3 heads of the audit trail in the archive are not what was signed$/m,
    bundle: 'holds',
    recipe: fits,
  },
  {
    who: 'bucket',
    did: 'removed a recording',
    attack: async ({ set, folder: own, kept }) => {
      await rm(`${own}/archive/${(await set.catalogue.recordings.find(kept))?.objectKey ?? ''}`);
    },
    verify: undefined,
    bundle: 'archive_object_missing',
    recipe: fits,
  },
  {
    who: 'catalogue, bucket',
    did: 'removed a recording from both',
    attack: async (site) => {
      await removeObjects(site);
      meddle(site, `PRAGMA foreign_keys = OFF; DELETE FROM recordings WHERE id = '${site.kept}'`);
    },
    verify: /: the audit trail names it, and the catalogue does not have it$/m,
    bundle: 'recording_unknown',
    recipe: fits,
  },
  {
    who: 'catalogue, bucket',
    did: 'said of a kept recording that it is discarded, and removed it',
    attack: async (site) => {
      await removeObjects(site);
      callDiscarded(site);
    },
    verify: /: the catalogue says "discarded" of it, and the audit trail "archived"$/m,
    bundle: 'recording_gone',
    recipe: fits,
  },
  {
    who: 'catalogue, ledger',
    did: 'cut the newest lines off both',
    attack: async (site) => {
      cutOff(site);
      await cp(`${site.older.everything}/erasures.jsonl`, site.set.ledger.file);
    },
    verify: endsEarly,
    bundle: 'holds',
    recipe: differs,
  },
  {
    who: 'catalogue, ledger, bucket without locks',
    did: 'put all three back to an older state',
    attack: putAllBack,
    verify: undefined,
    bundle: 'holds',
    recipe: differs,
  },
  {
    who: 'key, catalogue',
    did: 'rewrote and re-linked the trail, and signed a head over it',
    attack: async (site) => {
      rewrite(site);
      await site.set.catalogue.auditTrail.append(site.kept, { event: 'something', actor: 'serve' });
      await signHead(keyPorts(site));
      await copyHeads(keyPorts(site));
    },
    verify: isAnother,
    bundle: 'holds',
    recipe: differs,
  },
  {
    who: 'key, catalogue',
    did: 'rewrote it, and signed that an older catalogue was put back',
    attack: async (site) => {
      rewrite(site);
      expect((await replay(site, true)).code).toBe(0);
    },
    verify: undefined,
    bundle: 'holds',
    recipe: differs,
  },
  {
    who: 'key, ledger',
    did: 'signed a certificate of a kept recording',
    attack: async ({ set, kept }) => {
      const { content } = await readCertificate((await set.catalogue.certificates.newest(1))[0]?.jws ?? '');
      const forged = { ...content, number: 3, recording: kept, objects: [] };
      await appendFile(set.ledger.file, `${(await issueCertificate(forged, await set.signer())).jws}\n`);
    },
    verify: /^3 \w+: only the ledger has it: preavis certificates replay mends it$/m,
    bundle: 'holds',
    recipe: fits,
  },
  {
    who: 'key, catalogue, ledger, bucket without locks',
    did: 'rewrote the newest lines, and signed every head over them anew',
    attack: async (site) => {
      rewrite(site, 'the newest lines');
      const { set } = site;
      const signer = await set.signer();
      for (const row of await set.catalogue.chainHeads.list()) {
        const { content } = await readHead(row.jws);
        const [line] = await set.catalogue.auditTrail.lines(content.line, content.line, 1);
        const previous = (await set.catalogue.chainHeads.list()).find(({ number }) => number === content.number - 1);
        const again = await issueHead(
          { ...content, chain: line?.chain ?? '', previous: previous?.sha256 ?? null },
          signer,
        );
        await rm(`${site.folder}/archive/${headKey(row)}`);
        await set.store.putText(headKey(again), again.jws, 'application/jose', never);
        const lines = await readFile(set.ledger.file, 'utf8');
        await writeFile(set.ledger.file, lines.replace(row.jws, again.jws));
        meddle(
          site,
          `UPDATE chain_heads SET sha256 = '${again.sha256}', jws = '${again.jws}' WHERE number = ${row.number}`,
        );
      }
    },
    verify: undefined,
    bundle: 'holds',
    recipe: differs,
  },
];

test('an installation that nobody has touched has no fault', async () => {
  const here = await aSite();
  const { code, text } = await verify(here);
  expect(text).toMatch(/^2 certificates checked, all hold\nthe audit trail is vouched for by head 3, signed /);
  expect(code).toBe(0);
  expect(await headFiles(here)).toHaveLength(3);
  expect(await bundleNow(here, open)).toBe('holds');
});

describe.each(attacks)('who has $who and $did', (row) => {
  test('is found, or not, as docs/security.md says', async () => {
    const here = await aSite();
    await row.attack(here);
    const { code, text } = await verify(here);
    if (row.verify === undefined) {
      expect(text).toMatch(/certificates checked, all hold$/m);
      expect(code).toBe(0);
    } else {
      expect(text).toMatch(row.verify);
      expect(code).toBe(3);
    }
    expect(await bundleNow(here, open)).toBe(row.bundle);
    if (hasTools) expect(await recipe(here)).toBe(row.recipe);
  });
});

(hasTools ? test : test.skip)(
  'what is no head and no certificate, or of another key, is not compared by hand',
  async () => {
    const here = await aSite();
    const decision = `${here.folder}/decision.jws`;
    const forger = await openSigner(`${here.folder}/forged.pem`);
    await writeFile(decision, await forger.sign({ decision: 1 }, 'preavis-decision+jws'));
    expect(await recipe(here, decision)).toBe('not compared: this is neither a head nor a certificate of erasure');
    const forged = `${here.folder}/forged.jws`;
    const { content } = await readHead((await here.set.catalogue.chainHeads.last())?.jws ?? '');
    await writeFile(forged, (await issueHead(content, forger)).jws);
    expect(await recipe(here, forged)).toBe('not compared: the signature is not of this key');
    const certificate = `${here.folder}/certificate.jws`;
    await writeFile(certificate, (await here.set.catalogue.certificates.newest(1))[0]?.jws ?? '');
    expect(await recipe(here, certificate)).toBe(fits);
  },
);

test('each row is in the table of docs/security.md, and no other', async () => {
  const page = await readFile(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const section = /### Catalogue, bucket, ledger, key\n([\s\S]*?)\n### /.exec(page)?.[1] ?? '';
  const cells = section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .slice(2);
  const told = cells.map(([, who, did, , bundle, byHand]) => ({ who, did, bundle, byHand }));
  const made = attacks.map(({ who, did, bundle, recipe: byHand }) => ({
    who,
    did,
    bundle: bundle === 'holds' ? 'holds' : `none: \`${bundle}\``,
    byHand: byHand === fits ? 'fits' : 'differs',
  }));
  const locked = { who: 'catalogue, ledger, bucket with Object Lock', did: 'put all three back to an older state' };
  expect(told.filter(({ who }) => who !== locked.who)).toEqual(made);
  expect(told).toContainEqual(expect.objectContaining(locked));
  const silent = cells.filter(([, , , said]) => said?.startsWith('no fault')).map(([, , did]) => did);
  expect(silent).toEqual(attacks.filter((each) => each.verify === undefined).map(({ did }) => did));
});

test('no head or certificate is removed on the word of a time that somebody has put into the catalogue', async () => {
  const here = await aSite();
  const ledger = await readFile(here.set.ledger.file, 'utf8');
  meddle(here, 'UPDATE chain_heads SET signed_at = 0; UPDATE certificates SET issued_at = 0');
  await erasePass({ ...here.set, certificatesKeptMs: 365 * 86_400_000 });
  expect(await headFiles(here)).toHaveLength(3);
  expect(await readFile(here.set.ledger.file, 'utf8')).toBe(ledger);
  expect(await here.set.catalogue.certificates.count()).toBe(2);
});

test('a recording that somebody has called discarded keeps its file, and reconcile names it', async () => {
  const here = await aSite();
  const { set, kept } = here;
  const objects = await set.objects();
  callDiscarded(here);
  await writeFile(spoolFile(set.spoolFolder, kept), 'the file');
  await uploadPass(set, { waitMs: 0, signal: never });
  await sweepSpool(set);
  const { code, text } = await reconcile(here);
  expect(code).toBe(3);
  expect(
    text.match(/it counts as discarded, the audit trail does not say so, and something of it is there/g),
  ).not.toBeNull();
  expect(await set.objects()).toEqual(objects);
  expect(await set.spooled()).toHaveLength(1);
});

describe('a recording that somebody has called erased', () => {
  test('is named by reconcile, and nothing of it is removed, neither there nor by an upload pass', async () => {
    const here = await aSite();
    const { set, kept } = here;
    const objects = await set.objects();
    callErased(here);
    await writeFile(spoolFile(set.spoolFolder, kept), 'the file');
    await uploadPass(set, { waitMs: 0, signal: never });
    const { code, text } = await reconcile(here);
    expect(code).toBe(3);
    expect(text.match(/it counts as erased, no certificate says so, and something of it is there/g)).toHaveLength(3);
    expect(await set.objects()).toEqual(objects);
    expect(await set.spooled()).toHaveLength(1);
  });

  test('with the certificate of another, or of a key that nobody trusts, is kept as well', async () => {
    const here = await aSite();
    const { set, kept } = here;
    const objects = await set.objects();
    callErased(here);
    const { content } = await readCertificate((await set.catalogue.certificates.newest(1))[0]?.jws ?? '');
    const forger = await openSigner(`${here.folder}/forged.pem`);
    const { jws, sha256 } = await issueCertificate({ ...content, recording: kept }, forger);
    meddle(
      here,
      `UPDATE certificates SET recording_id = '${kept}' WHERE number = 2;
       INSERT INTO certificates (sha256, number, recording_id, issued_at, jws) VALUES ('${sha256}', 3, '${kept}', 1, '${jws}')`,
    );
    expect((await reconcile(here)).code).toBe(3);
    expect(await set.objects()).toEqual(objects);
  });

  test('and was, is erased again where it has come back', async () => {
    const here = await aSite();
    const { set, gone } = here;
    const [{ jws } = { jws: '' }] = await set.catalogue.certificates.of(gone[0] as never);
    const key = (await readCertificate(jws)).content.objects[0]?.key ?? '';
    await set.store.putText(key, 'back', 'audio/wav', never);
    expect(await reconcile(here)).toMatchObject({ code: 0 });
    expect(await set.store.versions(key)).toEqual([]);
  });
});

test('who puts an older catalogue back on purpose says so, and is named from then on', async () => {
  const here = await aSite();
  await replaceCatalogue(here, here.older.catalogue);
  const only = await replay(here, false);
  expect(only.code).toBe(3);
  expect(only.text).toContain('If you restored an older catalogue, give --restored');
  expect((await verify(here)).code).toBe(3);
  const said = await replay(here, true);
  expect(said.code).toBe(0);
  expect(said.text).toContain('that an older catalogue was put back is signed');
  const { code, text } = await verify(here);
  expect(text).toMatch(
    /^an older catalogue was put back, says user \S+ \(head 4, .*\): 2 heads before that are of lines/m,
  );
  expect(code).toBe(0);
});
