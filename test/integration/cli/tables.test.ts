import { mkdir, writeFile } from 'node:fs/promises';
import stringWidth from 'string-width';
import { openCatalogue } from '../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { callsList } from '../../../src/cli/commands/calls.ts';
import { certificatesList } from '../../../src/cli/commands/retention/certificates.ts';
import type { CommandContext, ExitCode } from '../../../src/cli/context.ts';
import { recordingsDoubts } from '../../../src/cli/commands/retention/doubts.ts';
import { recordingsHold, recordingsHolds } from '../../../src/cli/commands/retention/legalHolds.ts';
import { promptsList } from '../../../src/cli/commands/prompts.ts';
import { purposesList } from '../../../src/cli/commands/purposes.ts';
import { recordingsList } from '../../../src/cli/commands/recordings.ts';
import { retentionRun } from '../../../src/cli/commands/retention/retention.ts';
import { webhooksList } from '../../../src/cli/commands/webhooks.ts';
import { webhookEndpoints } from '../../../src/services/webhooks.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { callEnd, dayMs, idOf, insertPolicy, insertRecording } from '../../support/catalogue/catalogueRows.ts';
import { webhookSecret } from '../../support/webhookReceiver.ts';
import { shippedSounds } from '../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const never = new AbortController().signal;
const longLine = 'reception-of-the-second-floor-and-garden';
const longPurpose = 'evidence-of-agreements-made-by-telephone';
const longFailure = 'archive_bucket_missing';
let printed: string[] = [];
const context: CommandContext = {
  configFile: '',
  environment: {},
  clock: systemClock,
  print: (text) => printed.push(text),
};

/** Rows as long as they come: two purposes with long names, a failure, a hold with a reason of a thousand characters. */
beforeAll(async () => {
  const at = folder.path('long');
  await mkdir(`${at}/spool`, { recursive: true });
  const justification = 'Written for a test, because nobody else can say why.';
  context.configFile = `${at}/preavis.yaml`;
  const tree = {
    purposeFiles: ['be'],
    purposes: {
      training: {
        justification,
        mayListen: ['team-leaders-of-the-reception', 'quality-managers', 'works-council', 'data-protection-officer'],
      },
      agreement: {
        justification,
        holdsAllowed: true,
        optInForCountries: ['DE', 'AT', 'CH', 'FR', 'LU', 'NL', 'GB', 'IE', 'ES', 'PT', 'IT'],
      },
    },
    lines: { default: { purposes: ['training', 'agreement'], defaultLanguages: ['fr'] } },
    catalogue: { file: `${at}/catalogue.db` },
    archive: { directory: { folder: `${at}/archive` } },
    recording: { spoolFolder: `${at}/spool`, minimumFreeMib: 0 },
    webhooks: {
      'customer-relations-management': { url: 'https://crm.of-a-customer.example:8443/a', secret: webhookSecret },
    },
    ari: { password: 'none' },
  };
  await writeFile(context.configFile, JSON.stringify(tree), { mode: 0o600 });
  const webhooks = webhookEndpoints(await loadConfig(context.configFile, {}));
  const catalogue = openCatalogue(tree.catalogue.file, systemClock, { webhooks });
  const store = makeDirectoryStore({ folder: `${at}/archive` });
  await store.check();
  const database = openSqlite(tree.catalogue.file);
  insertPolicy(database, 'one', { training: 28, agreement: 28, [longPurpose]: 28 });
  const purposes = ['training', 'agreement', longPurpose];
  for (const number of [1, 2, 3, 4]) {
    const keepUntil = number > 2 ? Date.now() + 300 * dayMs : Date.now() - dayMs;
    const id = insertRecording(database, {
      number,
      status: number > 2 ? 'recorded' : 'archived',
      keepUntil,
      purposes,
    });
    for (const purpose of purposes) {
      database.prepare('INSERT INTO recording_purposes VALUES (?, ?, ?)').run(id, purpose, keepUntil);
    }
    const key = `recordings/2026/08/24/${id}`;
    if (number < 3) {
      database
        .prepare('UPDATE recordings SET archive = ?, object_key = ?, receipt_key = ? WHERE id = ?')
        .run(store.location, `${key}.wav`, `${key}.json`, id);
      await store.putText(`${key}.wav`, 'audio', 'audio/wav', never);
      await store.putText(`${key}.json`, '{}', 'application/json', never);
    }
  }
  database.exec(`
    UPDATE calls SET line = '${longLine}', languages = '["fr","nl"]', language_reason = 'acceptLanguage', consent_mode = 'optIn',
      answer = 'accepted';
    UPDATE calls SET result = 'unrecorded', reason = 'notice_not_received' WHERE id = '${idOf(2)}';
    UPDATE recordings SET bytes = 123456789, duration_ms = 7265000;
    UPDATE recordings SET failure = '${longFailure}', attempts = 1234 WHERE status = 'recorded'`);
  database.close();
  const witnesses = { asterisk: callEnd, us: callEnd + 9e9 };
  await catalogue.clockDoubts.raise(idOf(3), { apartMs: 9e9, witnesses, endedAt: callEnd, actor: 'test' });
  await catalogue.recordings.move(
    idOf(4),
    'recorded',
    'archived',
    {},
    { event: 'stored and read back', actor: 'test' },
  );
  await catalogue.deliveries.giveUpEndpoint('customer-relations-management', 'webhook_unreachable');
  catalogue.close();
  const until = new Date(Date.now() + 30 * dayMs).toISOString().slice(0, 10);
  const reason = 'Réclamation '.repeat(80).trim();
  await recordingsHold(context, idOf(1), { ground: 'restriction', reason, until, review: undefined, json: false });
  await recordingsHold(context, idOf(1), {
    ground: 'authority',
    reason: `${'x'.repeat(450)}${'録音😀'.repeat(90)}`,
    until,
    review: undefined,
    json: false,
  });
});
beforeEach(() => {
  printed = [];
});

const some = { status: undefined, purpose: undefined, limit: '50' };
const lists: [string, (json: boolean) => Promise<ExitCode>][] = [
  ['calls list', (json) => callsList(context, { limit: '50', json })],
  ['recordings list', (json) => recordingsList(context, { ...some, json })],
  ['recordings holds', (json) => recordingsHolds(context, { json })],
  ['recordings doubts', (json) => recordingsDoubts(context, { json })],
  ['webhooks list', (json) => webhooksList(context, { limit: '50', json })],
  ['purposes list', (json) => purposesList(context, { json })],
  ['prompts list', (json) => promptsList(context, { sounds: shippedSounds, json })],
  ['retention run --dry-run', (json) => retentionRun(context, { dryRun: true, json })],
  ['retention run', (json) => retentionRun(context, { dryRun: false, json })],
  ['certificates list', (json) => certificatesList(context, { limit: '50', json })],
];

test.each(lists)('%s has no line over 100 columns, with the longest rows, and no id is broken', async (_, list) => {
  await list(false);
  const text = printed.join('\n');
  const lines = text.split('\n');
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.filter((line) => stringWidth(line) > 100)).toEqual([]);
  printed = [];
  await list(true);
  const ids = new Set(printed.join('\n').match(/"[0-9A-HJKMNP-TV-Z]{26}"/g) ?? []);
  for (const id of ids) expect(text).toContain(id.slice(1, -1));
  // UTC in the document, and nowhere the time of another zone.
  for (const time of printed.join('\n').match(/"\d{4}-\d\d-\d\d[T ][^"]*"/g) ?? []) expect(time).toMatch(/\.\d{3}Z"$/);
});
