/* eslint-disable max-lines -- A list: each code beside its meaning. */
/**
 * The one list of error codes, and the class that carries them. docs/errors.md is generated from this list.
 */
import { oneLine } from './text/oneLine.ts';

type ErrorEntry = {
  /** Exit code of the command: 1 failed, 2 bad usage or config. */
  exit: 1 | 2;
  retryable: boolean;
  meaning: string;
  remedy: string;
  /** What it says of the archive as a whole; undefined: nothing. */
  wholeArchive: 'away' | 'refuses' | undefined;
};

const kindOf =
  (exit: 1 | 2, retryable: boolean) =>
  (meaning: string, remedy: string, wholeArchive?: ErrorEntry['wholeArchive']): ErrorEntry => ({
    exit,
    retryable,
    meaning,
    remedy,
    wholeArchive,
  });
/** The command line or the configuration is wrong. */
const misuse = kindOf(2, false);
/** It stays until somebody does something. */
const lasting = kindOf(1, false);
/** The same may succeed later. */
const passing = kindOf(1, true);

export const errorCodes = {
  usage: misuse('The command line is not one Préavis knows.', 'See `preavis --help`, or `--help` after the command.'),
  config_unreadable: misuse(
    'The configuration file cannot be read or is not YAML.',
    'Check the path (--config or PREAVIS_CONFIG), its permissions and the line that is named.',
  ),
  config_invalid: misuse(
    'A configuration key is unknown, missing or out of range.',
    'Correct the key that is named; docs/config.md lists every key with its default and unit.',
  ),
  prompts_invalid: misuse(
    'The file prompts.yaml or one of the sound files beside it cannot be used.',
    'Correct the prompt that is named, or point notice.soundsFolder at a complete folder.',
  ),
  prompts_missing: lasting(
    'Asterisk does not have every configured prompt in exactly the configured language.',
    'Run `preavis prompts install --to ASTERISK_SOUNDS_FOLDER` on the Asterisk machine; then `preavis check`.',
  ),
  prompts_build_failed: lasting(
    'A sound file of a prompt could not be made.',
    'See the prompt and the program that are named; what was made before is complete.',
  ),
  prompts_unwritable: lasting(
    'A recording of a prompt cannot be put into the folder of prompts.',
    'Give Préavis write permission in notice.soundsFolder and its folders of languages.',
  ),
  program_missing: lasting(
    'A program that makes sound files, or the one of `preavis prompts build --command`, is not installed.',
    'Install it; only `preavis prompts build` needs it.',
  ),
  arguments_invalid: lasting(
    'The Stasis() arguments of a call are unknown or malformed; the call went on unrecorded.',
    'Correct the line of dialplan; docs/dialplan.md lists the arguments.',
  ),
  dialplan_unreadable: misuse(
    'A file of the dialplan cannot be read, or is none.',
    'Name extensions.conf or a file of its kind that this user may read; `preavis dialplan lint --live` asks Asterisk instead.',
  ),
  dialplan_not_shown: lasting(
    'Asterisk on this machine does not show its dialplan.',
    'Run it where Asterisk runs, as root or a user of its group: it must be able to run `asterisk -rx "dialplan show"`.',
  ),
  ari_unreachable: passing(
    'Asterisk does not answer on the ARI address.',
    'Check that Asterisk runs, that http.conf and ari.conf are enabled, and ari.url.',
  ),
  ari_unauthorized: lasting(
    'Asterisk refuses the ARI user or password.',
    'Compare ari.username and the password with ari.conf; the user must not be read-only.',
  ),
  ari_request_failed: passing('Asterisk answered an ARI request with an error.', 'See the Asterisk log.'),
  ari_not_found: lasting('Asterisk no longer has the channel, bridge or recording that a request names.', ''),
  ari_event_invalid: lasting(
    'An event from Asterisk does not have the documented form and was ignored.',
    'Report it with the Asterisk version.',
  ),
  application_taken: passing(
    'Another process has opened an event socket for the same Stasis application of the same Asterisk.',
    'Stop it, or give each serve an ari.application and a dialplan of its own. Of workers compare ari.url and ari.pbx: one of another PBX has the same application.',
  ),
  application_held: misuse(
    'Another client has the event socket of the Stasis application open, so a lone serve does not start: the other would lose its calls. One of two workers takes it once it has its lease.',
    'Stop the other one, or give each serve an ari.application and a dialplan of its own. If nobody uses that socket any more, as of a machine that lost its power, start `preavis serve --take-over`.',
  ),
  deadman_unusable: passing(
    'The dead-man channel cannot be made or renewed: if Préavis crashes or hangs, recorders run until somebody stops them.',
    'Include the dialplan/preavis.conf of this version (`dialplan reload`), and load app_softhangup.so in Asterisk. A proxy before Asterisk must pass the whole of /ari. Then run `preavis check`.',
  ),
  recorders_foreign: lasting(
    'Another ARI application records bridges on this Asterisk: the dead-man channel of Préavis would end its recordings as well.',
    'Give the other application an Asterisk of its own. If its bridges only play an announcement, run the check again later.',
  ),
  spool_unusable: lasting(
    "Asterisk's recording folder cannot be read or written by Préavis.",
    'Set recording.spoolFolder to the folder where Asterisk records, and give Préavis its group.',
  ),
  spool_full: passing(
    'The disk of the recording folder has less free space than recording.minimumFreeMib.',
    'Free space, or run `preavis upload` once the archive is reachable again.',
  ),
  recording_unsettled: passing(
    'A recording at an Asterisk on another machine did not come whole, two readings of it differ, or it is not what was copied.',
    'It stays at Asterisk, and a later pass copies it again. If that lasts, look at the disk of Asterisk and at proxies before it.',
  ),
  wav_invalid: lasting('A recording is not a WAV file that can be read.', 'The file is kept as it is.'),
  wav_empty: lasting('A recording holds no audio.', 'The file is kept as it is.'),
  catalogue_unusable: lasting(
    'The catalogue cannot be opened or written.',
    'Check catalogue.file, its folder, permissions and free disk space; with catalogue.store: postgres whether PostgreSQL runs, and catalogue.postgres.',
  ),
  row_unreadable: lasting(
    'A row of the catalogue is malformed. Passes skip it and continue.',
    'In SQLite run "PRAGMA integrity_check" on the file with sqlite3; in PostgreSQL run pg_amcheck. If it is not ok, restore the last backup; else report it.',
  ),
  catalogue_foreign: lasting(
    'The catalogue file is a database of another program, or damaged; or the database in PostgreSQL is of another program or installation.',
    'If it is the catalogue, restore a backup (docs/operations/backup.md); else point catalogue.file, or catalogue.postgres.database, at one of its own. Nothing was changed.',
  ),
  catalogue_new: passing(
    'The archive belongs to another catalogue, and the configured one is new: perhaps the folder of the catalogue is not mounted.',
    'Mount that folder, or put the last backup of the catalogue back (docs/operations/backup.md). To begin a new catalogue all the same, start once `preavis serve --new-catalogue`.',
  ),
  catalogue_newer: lasting(
    'The catalogue was written by a newer Préavis.',
    'Run that version or a later one; nothing was changed.',
  ),
  catalogue_moved: misuse(
    'The SQLite catalogue was moved to PostgreSQL, where its rows have lived since. A second live one would erase what the first keeps.',
    'Set catalogue.store to postgres, with the address that it was moved to (docs/operations/moving-to-postgresql.md). Nothing was changed.',
  ),
  catalogue_unmoved: misuse(
    'The SQLite catalogue of catalogue.file was not moved to the database, which is empty or has another catalogue.',
    'Run `preavis catalogue move` (docs/operations/moving-to-postgresql.md). If a new catalogue is to begin in the database, name another catalogue.file.',
  ),
  catalogue_moving: lasting(
    'A move of a catalogue into this database has begun and is not finished.',
    'Go on with `preavis catalogue move`. Until it is done, the SQLite catalogue is the catalogue.',
  ),
  catalogue_in_use: passing(
    'The catalogue cannot be moved while another process uses it.',
    'Stop `preavis serve`, `preavis web`, scheduled commands and programs that copy the file, as Litestream; then start the move again.',
  ),
  move_refused: lasting('The catalogue cannot be moved as it is.', 'Nothing was changed.'),
  move_differs: lasting(
    'What is in PostgreSQL is not what is in the SQLite catalogue, which may have changed since the move began.',
    'Run `preavis catalogue move --again`, which empties the database and copies anew. The SQLite catalogue is unchanged, and is still the catalogue.',
  ),
  status_conflict: lasting(
    'A recording is no longer in the status that a step started from.',
    'Another run was faster; nothing to do.',
  ),
  number_key_wrong: misuse(
    'Callers are kept under another key than privacy.hashKey or privacy.numberKey, so no call would be found by its number.',
    'Configure the key from before. One that was changed on purpose finds the calls from after the change; docs/privacy.md says how to find the others.',
  ),
  pause_not_done: passing(
    'The recording of a call was not paused, or did not go on: nobody talks in it, it is not recorded, or no serve has done it.',
    'See `preavis calls show ID` for what became of the call, and its log for why. Say nothing that must not be recorded.',
  ),
  code_not_done: passing(
    'What was asked of a call that goes on was not done: nobody talks in it, it is not recorded, or no serve has done it.',
    'See `preavis calls show ID` for what became of the call, and its log for why.',
  ),
  call_unknown: misuse('No call has this id.', 'See `preavis calls list`.'),
  recording_unknown: misuse('No recording has this id.', 'See `preavis recordings list`.'),
  certificate_unknown: misuse(
    'No certificate has this number, and none is of a recording with this id.',
    'See `preavis certificates list`.',
  ),
  recording_unfinished: passing(
    'The recording is not finished: its call is not over, or its file was not measured yet.',
    'Fetch it some seconds after the end of the call. If serve crashed during the call, start serve, or run `preavis upload`.',
  ),
  recording_unusable: lasting(
    'The recording failed: there is no audio whose length and SHA-256 are known.',
    'Its file stays in the recording folder until it is due.',
  ),
  recording_gone: lasting(
    'The recording no longer exists: erased, discarded or lost.',
    'See `preavis recordings show ID`: it says when, and by whom.',
  ),
  recording_altered: lasting(
    'What is kept of a recording is not what was recorded (size or SHA-256).',
    'Do not use it. Look in the access log of the archive for who changed it; `preavis recordings show ID` has the SHA-256.',
  ),
  purpose_foreign: misuse(
    'The recording was not made for the purpose that is named.',
    'See `preavis recordings show ID`: it names its purposes.',
  ),
  purpose_over: lasting(
    'The time of a purpose is over, and with it access to the recording for it.',
    'Only a hold for a dispute gives access again, if the purpose allows holds. `preavis recordings show ID` shows until when the recording is kept for other purposes.',
  ),
  recording_held: lasting(
    'A hold keeps the recording: it is not erased.',
    'See `preavis recordings show ID` for its holds; who set one can release it.',
  ),
  clock_doubtful: lasting(
    'The clocks disagree about when the recording ended: it is not erased until somebody has settled that.',
    'See `preavis recordings doubts`; then `preavis recordings settle ID --ended TIME`.',
  ),
  doubt_unknown: misuse(
    'The end of this recording is not in doubt, or was settled already.',
    'See `preavis recordings doubts`.',
  ),
  hold_refused: misuse(
    'A hold of this ground cannot keep the recording.',
    'None of its purposes has holdsAllowed. A request of an authority or of the person (--ground authority or restriction) can keep it.',
  ),
  hold_too_late: lasting(
    'The erasure of the recording has begun, or it is gone.',
    'See `preavis recordings show ID`: it says when, and by whom.',
  ),
  hold_unknown: misuse('No hold has this id, or it was released.', 'See `preavis recordings holds`.'),
  user_unknown: misuse('The configuration has no user of this name.', 'See `preavis users list`.'),
  erasure_refused: lasting(
    'A recording is not erased before its end, since something keeps it.',
    'Look what keeps it: a hold can be released; a lock, and what the law wants kept, stay until their end.',
  ),
  comment_unknown: misuse('No comment of the recording has this id, or it was removed.', 'Read the annotation again.'),
  version_missing: misuse(
    'A request that replaces something does not say which version of it was seen.',
    'Read it first, and send its ETag as If-Match.',
  ),
  version_conflict: lasting(
    'Somebody else has changed it since it was read.',
    'Read it again, and repeat the change on what is there now.',
  ),
  approval_unknown: misuse('Nobody has asked for this approval.', 'See which wait for an answer.'),
  approval_own: misuse(
    'Whoever asks to hear a recording cannot approve it.',
    'Somebody else must answer whose role may approve: legal or officer.',
  ),
  approval_closed: lasting('The question was answered before, or nobody has answered in time.', 'Ask again.'),
  catalogue_restored: passing(
    'The catalogue was restored to an older state within the last day: holds that were set since then are not in it.',
    'Set the holds that are missing again (`preavis recordings hold`). A day after the restoration retention erases what is due.',
  ),
  ledger_unusable: lasting(
    'The ledger of erasures cannot be read, locked or written. No erasure begins until it can. The next pass then adds what was erased before.',
    'Check evidence.ledgerFile, its folder, permissions and free disk space.',
  ),
  ledger_incomplete: lasting(
    'The ledger of erasures does not have every certificate that was put into it: it was changed, cut or removed.',
    'Restore it from its copy, then run `preavis certificates replay`: it adds what only the catalogue has.',
  ),
  audit_trail_differs: lasting(
    'The audit trail, or what it says was erased, differs from what was signed. Lines were removed or rewritten, or an older catalogue was restored.',
    'If you restored an older catalogue, run `preavis certificates replay --restored`. If not, see `preavis certificates verify`, and compare with a backup.',
  ),
  certificate_invalid: lasting(
    'A certificate of erasure is not valid.',
    'See which one and why; docs/operations/certificates.md says what each fault can mean.',
  ),
  output_unwritable: lasting(
    'The file that a command is to make cannot be written.',
    'Check its folder, permissions and free disk space.',
  ),
  interrupted: passing('A signal stopped the command before its end.', 'Start it again.'),
  archive_unreachable: passing(
    'The object store does not answer.',
    'Check archive settings and the network; recordings wait in the spool and are sent by a later pass.',
    'away',
  ),
  archive_denied: lasting(
    'The object store refuses the credentials or an action.',
    'Check the access key, the secret key and the bucket policy (docs/deployment.md).',
    'refuses',
  ),
  archive_bucket_missing: lasting('The bucket does not exist.', 'Create it, or correct archive.minio.bucket.', 'away'),
  archive_not_mounted: passing(
    'The archive folder exists, but what was stored in it does not: the archive is not mounted there.',
    'Mount it; recordings wait in the spool. If it is the archive, make the file .preavis-archive in it (docs/operations/archive.md).',
    'away',
  ),
  archive_changed: lasting(
    'A recording is in another archive than the configured one.',
    'Name its configuration in archive.former, then `preavis archive move` brings it into the configured one (docs/operations/move-archive.md).',
  ),
  archive_foreign: lasting(
    'The archive to which recordings are to be moved belongs to another catalogue.',
    'Give it a folder, a bucket or a prefix of its own; each catalogue needs one.',
  ),
  encryption_ends: misuse(
    'Recordings that Préavis has encrypted would be moved to an archive that it does not encrypt.',
    'Set archive.encryption.mode to client in the configuration, with the same key or another. If decryption is intended, give --decrypt.',
  ),
  archive_full: passing(
    'The archive has no room left, or its quota is used up.',
    'Free space or raise the quota; recordings wait in the spool and are sent by a later pass.',
  ),
  archive_occupied: passing(
    'The archive has another object under the key of a recording, and keeps no versions.',
    'Nothing was overwritten. Find out who put it there and move it away; then a later pass stores the recording.',
  ),
  archive_locked: passing(
    'The archive refuses to erase an object: an Object Lock or a legal hold is on it.',
    'A lock expires: a later pass then erases the object. A legal hold must be lifted by whoever set it (docs/operations/object-lock.md).',
  ),
  archive_lock_failed: passing(
    'The Object Lock that a purpose asks for could not be set on a stored object, or reads back differently.',
    'The recording stays in the spool, and a later pass tries again. Run `preavis check`: it says what the bucket or the policy lacks.',
  ),
  archive_unprotected: passing(
    'A purpose requires an Object Lock, and the archive does not support it.',
    'Make a bucket with Object Lock (docs/operations/object-lock.md), or set the lock of the purpose to none.',
  ),
  archive_retention_too_long: lasting(
    'The bucket locks every object by its default retention for longer than a purpose keeps its recordings.',
    'Remove the default retention of the bucket, or shorten it: recordings could not be erased when they are due.',
  ),
  archive_lifecycle_early: lasting(
    'A lifecycle rule of the bucket removes recordings before they are due.',
    'Run `preavis archive lifecycle`: it shows the correct rule. Other rules must not apply to recordings/.',
  ),
  archive_unsupported: lasting(
    'The archive cannot do what was asked: a folder, and some stores, have no Object Lock or no lifecycle rules.',
    'Use a store that can, or do without.',
  ),
  archive_failed: passing('The object store answered with an error.', 'A later pass tries again.'),
  archive_object_missing: lasting(
    'The object store has no object under this key.',
    'Check that archive.* names where it was stored, and that this is mounted. Otherwise restore it, or see in the access log of the archive who removed it. `preavis recordings reconcile --dry-run` lists all missing objects.',
  ),
  archive_mismatch: passing(
    'The object store returns other data than was sent (size or SHA-256), or confirmed an object that it does not have.',
    'The local file is kept; a later pass sends it again. Check the store.',
  ),
  encryption_key_missing: lasting(
    'An object in the archive is encrypted, and the key that opens it is not configured, or not in the archive.',
    'Give the key that is named: archive.encryption.keyFile, oldKeyFiles, or kmsCommand with oldKeyIds (docs/encryption.md).',
  ),
  encryption_key_unusable: passing(
    'The key that wraps the keys of the archive does not work: the KMS command fails, or answers something else.',
    'Run the command by hand (docs/encryption.md); recordings wait in the spool and are sent by a later pass.',
  ),
  encryption_not_offered: lasting(
    'The object store does not encrypt what it keeps, and archive.encryption.mode is server.',
    'Switch encryption on in the store (its KMS), or set archive.encryption.mode to client (docs/encryption.md).',
  ),
  witness_unusable: lasting(
    "The file in which Asterisk's CEL logs the sounds that it plays cannot be used as the second witness.",
    'Set it up as docs/operations/second-witness.md says, or remove witness.celFile. Calls are recorded all the same.',
  ),
  clock_implausible: passing(
    'The clock of this machine is more than a week ahead of the last retention pass: nothing is erased until somebody confirms it.',
    'Correct the clock. If it is right, and no pass ran for so long, run `preavis retention run --clock-is-right`.',
  ),
  clock_apart: passing(
    'The clocks of this machine and of the database that several PBXs share are more than ten minutes apart: nothing is erased by that of this machine.',
    'Correct the one that is wrong: `timedatectl` tells whether it is kept right. Calls are recorded meanwhile.',
  ),
  signing_key_unusable: lasting(
    'The key that signs certificates and evidence cannot be read or made.',
    'Check evidence.signingKeyFile, its folder and permissions: an Ed25519 key in PEM (PKCS #8), for its owner only.',
  ),
  web_key_unusable: lasting(
    'The key that every preavis web of an installation shares cannot be read or made.',
    'Check the file web-key beside the catalogue: for its owner only. If others have seen it, remove it: a new one is made, and pages of lists begin anew.',
  ),
  signature_invalid: lasting(
    'A signature does not match what it signs, or was not made by Préavis.',
    'Do not rely on the document; get it again from where it was made.',
  ),
  webhook_unreachable: passing(
    'The address of a webhook does not answer.',
    'Check its url, the network and its certificate; waiting messages are sent again automatically.',
  ),
  webhook_refused: passing(
    'The address of a webhook does not answer with success (HTTP 2xx).',
    'See the log of the receiver; waiting messages are sent again automatically. Redirects are not followed: put the last address into url.',
  ),
  webhook_gone: lasting(
    'The address of a webhook answers that it is gone permanently (HTTP 410): no more messages are sent to it.',
    'Correct or remove it in the configuration; `preavis webhooks retry NAME` uses it again.',
  ),
  webhook_unknown: misuse('No webhook of this name is configured.', 'See `preavis webhooks list`.'),
  texts_invalid: lasting(
    'A file of the texts of documents, which came with Préavis, is not there or cannot be used.',
    'Correct the text that is named, or install Préavis again; texts/README.md says how texts are written.',
  ),
  paper_untrue: misuse(
    'A paper made from this configuration would leave out what the law asks for, or say what is not so; none was written.',
    'Set each key that is named, then make the papers again.',
  ),
  papers_unwritable: lasting('The folder of --out cannot be written.', 'Name a folder that this account may write to.'),
  evidence_invalid: lasting(
    'A bundle of evidence was changed, or does not show what it says.',
    'Do not rely on it; get it again from where it was made.',
  ),
  evidence_chain_broken: lasting(
    'A line of the audit trail does not fit the chain: the trail was changed, or the catalogue is damaged.',
    'Keep the catalogue and its backups as they are, and find out since when: compare it with the last backup.',
  ),
  timestamp_failed: passing(
    'The time-stamping authority did not give a time stamp for what it was asked.',
    'Check the address (--timestamp or evidence.timestampUrl); without it a bundle is made without a time stamp.',
  ),
  request_invalid: misuse(
    'A request to the API does not have the form that its description says.',
    'Correct what `faults` names; GET /api/v1/openapi.json describes each request.',
  ),
  request_too_large: misuse('What was sent to the API is too large.', 'Ask for less at a time.'),
  request_forged: misuse(
    'A request that changes something was sent with a cookie, and not by the page that it belongs to.',
    'Send the header `x-preavis-request: 1`, from the address of web.publicUrl; programs use a token.',
  ),
  sign_in_needed: misuse(
    'The API does not know who asks.',
    'Send `Authorization: Bearer` with a token of access.tokens, or sign in again.',
  ),
  sign_in_refused: misuse('User, password or code is wrong, or too many attempts were made.', 'Try again later.'),
  sign_in_code_needed: misuse(
    'The password is right, and the code of the second factor is missing.',
    'Send the code that the authenticator shows now.',
  ),
  sign_in_not_granted: misuse(
    'The identity provider knows who it is, and access.openId lets them not in.',
    'Whoever runs Préavis gives the account a group or role for which a rule of access.openId holds (docs/openid.md). Then sign in again.',
  ),
  sign_in_factor_needed: misuse(
    'The identity provider did not ask for what access.openId requires, such as a second factor (acr, amr).',
    'Sign in with the second factor; whoever runs the provider has it asked for (docs/openid.md).',
  ),
  sign_in_expired: misuse(
    'This sign-in was not begun in this browser, was finished before, or took more than ten minutes.',
    'Begin again. If it comes back, look whether the browser keeps cookies of this address.',
  ),
  open_id_unreachable: passing(
    'The identity provider does not answer, or not in time.',
    'Try again later. If it lasts, check access.openId.issuer, the network and the certificate of the provider.',
  ),
  open_id_untrusted: lasting(
    'What the identity provider answers does not prove who somebody is: its form, issuer, audience, nonce, time or signature.',
    'Compare access.openId.issuer and clientId with the provider, and the clocks of both machines; then `preavis check`.',
  ),
  open_id_refused: lasting(
    'The identity provider refuses the sign-in.',
    'See the log of the provider; the person may have cancelled, or may not use this application there.',
  ),
  open_id_client_refused: lasting(
    'The identity provider refuses Préavis itself: its client id or secret.',
    'Compare access.openId.clientId and the secret with the provider; secrets expire at some.',
  ),
  access_refused: misuse('Whoever asks may not do this.', 'Ask who grants access (docs/access.md).'),
  address_unknown: misuse('The API has nothing at this address.', 'See GET /api/v1/openapi.json.'),
  range_unsatisfiable: misuse('The part that was asked for lies outside of the recording.', ''),
  too_many_requests: passing('Too many requests came from one address.', 'Wait as long as Retry-After says.'),
  too_busy: passing('The API has as much to do as it takes at a time, or an answer took too long.', 'Try again later.'),
  web_ended: passing(
    'The process of the API and the console has ended; calls are not touched.',
    'See the line of log before it. `serve` starts it again, at first after a second, later each minute.',
  ),
  job_busy: passing(
    'Another process runs this job, or serves on this catalogue.',
    'Wait for it to end; of two that serve, stop the one that is wrong.',
  ),
  recording_elsewhere: passing(
    'The sound of a recording is not in the archive yet: it lies at another PBX, which alone can take it away.',
    'Nothing is to be done where its erasure is decided: the retention run of that PBX erases it. Else try again once it is archived.',
  ),
  lease_lost: passing(
    'Another process has taken over what this one was to do, since it stood still for too long.',
    'Nothing is to be done: the other one goes on with it, and this one wrote nothing since. See why it stood still, as a machine that was suspended.',
  ),
  internal: lasting('A fault in Préavis itself.', 'Report it with the log around this line.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCodes;

/** All faults of a large configuration fit; beyond it nobody reads. */
const longestMessage = 20_000;

const lineOf = (text: string): string =>
  oneLine(text.length > longestMessage ? `${text.slice(0, longestMessage)}...` : text);

/**
 * Every error that Préavis raises on purpose. `message` says what is wrong, in one line and without personal data; `hint`
 * what to do; `cause` keeps the original. Compare `code`, never text.
 */
export class PreavisError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(lineOf(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PreavisError';
    this.code = code;
    this.hint = lineOf(options.hint ?? errorCodes[code].remedy);
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  get wholeArchive(): ErrorEntry['wholeArchive'] {
    return errorCodes[this.code].wholeArchive;
  }

  get exitCode(): 1 | 2 {
    return errorCodes[this.code].exit;
  }
}

/** Any thrown value as a PreavisError; one that Préavis did not raise becomes `internal`. */
export function asPreavisError(thrown: unknown): PreavisError {
  if (thrown instanceof PreavisError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PreavisError('internal', message, { cause: thrown });
}

/** The code of an error of Node or SQLite (`ENOENT`, `SQLITE_FULL`, ...), or undefined. */
export function errnoOf(thrown: unknown): string | undefined {
  // By its shape: an error of Node or of better-sqlite3 may be of another realm than this code, where a test runs it.
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;

  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
