/* eslint-disable max-lines -- A step that was released is never changed, so it only grows. */
/**
 * The schema, step by step. A step that was released is never changed; the next one is added behind it. PRAGMA
 * user_version holds the number of steps applied. All times are ms since 1970 UTC.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE policies (
    version TEXT PRIMARY KEY,
    content TEXT NOT NULL
  ) STRICT;

  CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    policy_version TEXT NOT NULL,
    asterisk_version TEXT NOT NULL,
    asterisk_node TEXT NOT NULL,
    line TEXT,
    purposes TEXT NOT NULL DEFAULT '[]',
    languages TEXT NOT NULL DEFAULT '[]',
    language_reason TEXT,
    phase TEXT NOT NULL,
    result TEXT,
    reason TEXT,
    dial_status TEXT,
    recording_id TEXT,
    keep_days INTEGER,
    state TEXT
  ) STRICT;
  CREATE INDEX calls_by_recording ON calls (recording_id) WHERE recording_id IS NOT NULL;
  CREATE INDEX calls_open ON calls (id) WHERE state IS NOT NULL;
  CREATE INDEX calls_by_start ON calls (started_at);

  CREATE TABLE notices (
    call_id TEXT NOT NULL REFERENCES calls (id),
    position INTEGER NOT NULL,
    prompt TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    length_ms INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    verdict TEXT NOT NULL,
    PRIMARY KEY (call_id, position)
  ) STRICT;

  CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    call_id TEXT NOT NULL UNIQUE REFERENCES calls (id),
    status TEXT NOT NULL
      CHECK (status IN ('recording', 'recorded', 'archived', 'erased', 'failed', 'lost', 'discarded')),
    notice_finished_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    keep_days INTEGER NOT NULL,
    keep_until INTEGER,
    bytes INTEGER,
    duration_ms INTEGER,
    sha256 TEXT,
    flags TEXT NOT NULL DEFAULT '[]',
    failure TEXT,
    archive TEXT,
    object_key TEXT,
    object_version TEXT,
    receipt_key TEXT,
    receipt TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX recordings_by_status ON recordings (status, next_attempt_at);
  CREATE INDEX recordings_by_end ON recordings (keep_until) WHERE status IN ('recorded', 'archived', 'failed');

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    event TEXT NOT NULL,
    from_status TEXT,
    to_status TEXT,
    actor TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'
  ) STRICT;
  CREATE INDEX audit_by_recording ON audit (recording_id);
  CREATE TRIGGER audit_is_append_only_1 BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
  CREATE TRIGGER audit_is_append_only_2 BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;

  CREATE TABLE leases (
    job TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT;
  `,
  // Each purpose of a recording has its own end. Rows from before get it from the keepDays of their call's policy; one that
  // is not known there ends with the recording.
  `
  CREATE TABLE recording_purposes (
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    purpose TEXT NOT NULL,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (recording_id, purpose)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recording_purposes_by_end ON recording_purposes (purpose, keep_until);

  INSERT INTO recording_purposes (recording_id, purpose, keep_until)
  SELECT
    recordings.id,
    named.value,
    recordings.keep_until - 86400000 * max(0, recordings.keep_days - coalesce(
      (SELECT json_extract(each.value, '$.keepDays')
       FROM policies, json_each(policies.content, '$.purposes') AS each
       WHERE policies.version = calls.policy_version AND each.key = named.value),
      recordings.keep_days))
  FROM recordings
  JOIN calls ON calls.id = recordings.call_id
  JOIN json_each(calls.purposes) AS named
  WHERE recordings.keep_until IS NOT NULL;
  `,
  // What the caller was asked and answered, languages that had no prompts, and languages that callers chose.
  `
  ALTER TABLE calls ADD COLUMN languages_unavailable TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE calls ADD COLUMN consent_mode TEXT NOT NULL DEFAULT 'announce';
  ALTER TABLE calls ADD COLUMN answer TEXT NOT NULL DEFAULT 'none';
  ALTER TABLE calls ADD COLUMN answer_digits TEXT;
  ALTER TABLE calls ADD COLUMN answer_at INTEGER;
  ALTER TABLE recordings ADD COLUMN caller_talk_ms INTEGER;
  ALTER TABLE recordings ADD COLUMN destination_talk_ms INTEGER;
  CREATE TABLE preferences (
    caller TEXT PRIMARY KEY,
    language TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  `,
  // The second witness. witness is null until a call was compared; caller_channel is kept until then. Calls from before
  // cannot be compared: their channel is not known.
  `
  ALTER TABLE calls ADD COLUMN caller_channel TEXT;
  ALTER TABLE calls ADD COLUMN witness TEXT CHECK (witness IN ('agrees', 'disagrees', 'missing', 'unavailable'));
  ALTER TABLE notices ADD COLUMN witness TEXT CHECK (witness IN ('agrees', 'disagrees', 'missing'));
  ALTER TABLE notices ADD COLUMN witness_began_at INTEGER;
  ALTER TABLE notices ADD COLUMN witness_ended_at INTEGER;
  UPDATE calls SET witness = 'unavailable' WHERE state IS NULL;
  CREATE INDEX calls_unwitnessed ON calls (id) WHERE state IS NULL AND witness IS NULL;
  `,
  // Why consent was asked, or not.
  `
  ALTER TABLE calls ADD COLUMN consent_reason TEXT;
  ALTER TABLE calls ADD COLUMN consent_purposes TEXT NOT NULL DEFAULT '[]';
  `,
  // What happened in a call that decided nothing: sentences beside the notice, holds, transfers.
  `
  CREATE TABLE said (
    call_id TEXT NOT NULL REFERENCES calls (id),
    playback TEXT NOT NULL,
    kind TEXT NOT NULL,
    prompt TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    length_ms INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (call_id, playback)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES calls (id),
    change TEXT NOT NULL,
    at INTEGER,
    party TEXT
  ) STRICT;
  CREATE INDEX changes_by_call ON changes (call_id);
  `,
  // When each job was done last, by this machine's clock: a clock that has jumped is seen by it.
  `
  CREATE TABLE passes (
    job TEXT PRIMARY KEY,
    at INTEGER NOT NULL
  ) STRICT;
  `,
  // The audit trail is a chain from here on; holds, certificates of erasure, callers under a keyed hash, events for others.
  `
  ALTER TABLE audit ADD COLUMN chain TEXT;

  CREATE TABLE holds (
    id TEXT PRIMARY KEY,
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    ground TEXT NOT NULL CHECK (ground IN ('dispute', 'authority', 'restriction')),
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    review_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    released_at INTEGER,
    released_by TEXT
  ) STRICT;
  CREATE INDEX holds_by_recording ON holds (recording_id) WHERE released_at IS NULL;

  CREATE TABLE certificates (
    sha256 TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    recording_id TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    jws TEXT NOT NULL,
    in_ledger INTEGER NOT NULL DEFAULT 0,
    in_archive INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX certificates_by_number ON certificates (number);
  CREATE INDEX certificates_by_recording ON certificates (recording_id);
  CREATE INDEX certificates_not_in_ledger ON certificates (number) WHERE in_ledger = 0;
  CREATE INDEX certificates_not_in_archive ON certificates (number) WHERE in_archive = 0;

  CREATE TABLE ledgers (
    file TEXT PRIMARY KEY,
    read_bytes INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE callers (
    call_id TEXT PRIMARY KEY REFERENCES calls (id),
    hash TEXT NOT NULL,
    sealed TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX callers_by_hash ON callers (hash, call_id);
  CREATE TRIGGER callers_end_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded')
  BEGIN DELETE FROM callers WHERE call_id = NEW.call_id; END;
  -- It is in words of people, and may name some.
  CREATE TRIGGER reasons_end_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded')
  BEGIN UPDATE holds SET reason = '' WHERE recording_id = NEW.id; END;

  CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    body TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    first_attempt_at INTEGER,
    next_attempt_at INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER,
    failure TEXT,
    answer INTEGER
  ) STRICT;
  CREATE INDEX deliveries_by_time ON deliveries (endpoint, next_attempt_at) WHERE status = 'waiting';
  CREATE INDEX deliveries_waiting ON deliveries (endpoint, attempts, number, next_attempt_at) WHERE status = 'waiting';
  CREATE INDEX deliveries_of_recording ON deliveries (recording_id, endpoint) WHERE status = 'waiting';
  CREATE INDEX deliveries_by_end ON deliveries (status, ended_at);
  CREATE INDEX deliveries_by_first_attempt ON deliveries (first_attempt_at)
    WHERE status = 'waiting' AND first_attempt_at IS NOT NULL;
  CREATE INDEX deliveries_counted ON deliveries (endpoint, status, at) WHERE status IN ('waiting', 'failed');
  CREATE TABLE disabled_endpoints (
    endpoint TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  CREATE INDEX recordings_kept ON recordings (id, status, bytes, started_at, notice_finished_at)
    WHERE status IN ('recorded', 'archived', 'failed');
  CREATE INDEX audit_by_end ON audit (at, to_status, recording_id) WHERE to_status IN ('erased', 'failed', 'lost');
  CREATE INDEX certificates_by_time ON certificates (issued_at);
  `,
  // For the report: what persons asked to have erased, and was not.
  `
  CREATE INDEX audit_of_requests ON audit (at)
    WHERE event IN ('erasure asked by the person, refused', 'erasure asked by the person, failed');
  `,
  // All holds of a recording, and not only those that are in force.
  `
  CREATE INDEX holds_of_recording ON holds (recording_id);
  `,
  // When nobody listened to a call, and what was judged of it; until when everything was seen.
  `
  CREATE TABLE unwatched (
    id INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES calls (id),
    from_at INTEGER NOT NULL,
    to_at INTEGER,
    why TEXT NOT NULL,
    bridge TEXT NOT NULL,
    parties TEXT NOT NULL,
    judged TEXT,
    UNIQUE (call_id, from_at, why)
  ) STRICT;
  CREATE TABLE watch (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    until INTEGER NOT NULL,
    ahead_ms INTEGER NOT NULL
  ) STRICT;
  `,
  // In Asterisk, what belongs to the calls of this catalogue has a name that another's has not.
  `
  CREATE TABLE identity (id TEXT NOT NULL) STRICT;
  INSERT INTO identity (id) VALUES (lower(hex(randomblob(8))));
  `,
  // From when on keys were heard again, whoever was there then.
  `
  ALTER TABLE unwatched ADD COLUMN heard_again_at INTEGER;
  UPDATE unwatched SET heard_again_at = to_at;
  `,
  // From when keeping counts; what our clocks said when the recorder's end was heard of; and recordings whose clocks do not agree.
  // heard_offset_ms and boots: the clock that can be set, less the one that counts since the boot.
  `
  ALTER TABLE recordings ADD COLUMN kept_from INTEGER;
  ALTER TABLE recordings ADD COLUMN heard_at INTEGER;
  ALTER TABLE recordings ADD COLUMN heard_boot TEXT;
  ALTER TABLE recordings ADD COLUMN heard_offset_ms INTEGER;
  CREATE INDEX recordings_by_boot ON recordings (heard_boot, heard_offset_ms)
    WHERE heard_boot IS NOT NULL AND status IN ('recorded', 'archived', 'failed');
  CREATE TABLE boots (
    boot TEXT PRIMARY KEY,
    offset_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE clock_doubts (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id),
    raised_at INTEGER NOT NULL,
    apart_ms INTEGER NOT NULL,
    witnesses TEXT NOT NULL,
    settled_at INTEGER,
    settled_by TEXT
  ) STRICT;
  CREATE INDEX clock_doubts_open ON clock_doubts (recording_id) WHERE settled_at IS NULL;
  `,
  // When Asterisk had done at the latest what a change of the recorder asked for: its own events do not tell.
  `
  ALTER TABLE changes ADD COLUMN done_at INTEGER;
  `,
  // Until when a lease is held by the clock that nobody can set, of this boot.
  `
  ALTER TABLE leases ADD COLUMN boot TEXT;
  ALTER TABLE leases ADD COLUMN boot_until INTEGER;
  `,
  // Decisions that erase without a certificate; ends of purposes that a replayed one puts forward once a recording has them; and
  // where the last line that was read of a ledger begins, since a ledger that lines were taken out of has other places.
  `
  CREATE TABLE decisions (
    sha256 TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    needed_until INTEGER NOT NULL,
    jws TEXT NOT NULL,
    in_ledger INTEGER NOT NULL,
    replayed_at INTEGER
  ) STRICT;
  CREATE INDEX decisions_not_in_ledger ON decisions (decided_at, sha256) WHERE in_ledger = 0;
  CREATE INDEX decisions_by_need ON decisions (needed_until);
  CREATE INDEX decisions_replayed ON decisions (replayed_at) WHERE replayed_at IS NOT NULL;
  CREATE TABLE shortened_ends (
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    purpose TEXT NOT NULL,
    keep_until INTEGER NOT NULL,
    basis TEXT NOT NULL,
    PRIMARY KEY (recording_id, purpose)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE ledgers ADD COLUMN last_start INTEGER;
  ALTER TABLE ledgers ADD COLUMN last_sha256 TEXT;
  `,
  // How often something was erased that the write-ahead log may still hold, and up to which time the log was emptied since.
  `
  CREATE TABLE log_debt (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    erased INTEGER NOT NULL,
    emptied INTEGER NOT NULL
  ) STRICT;
  INSERT INTO log_debt (id, erased, emptied) VALUES (1, 1, 0);
  CREATE TRIGGER log_holds_callers AFTER DELETE ON callers
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  CREATE TRIGGER log_holds_preferences AFTER DELETE ON preferences
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  CREATE TRIGGER log_holds_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded')
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  `,
  // For the metrics, which ask how many there are of each.
  `
  CREATE INDEX unwatched_by_why ON unwatched (why);
  `,
  // Signed heads of the audit trail, in the order of their numbers.
  `
  CREATE TABLE chain_heads (
    sha256 TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    signed_at INTEGER NOT NULL,
    jws TEXT NOT NULL,
    in_ledger INTEGER NOT NULL DEFAULT 0,
    in_archive INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX chain_heads_by_number ON chain_heads (number);
  `,
  // How loud a recording is, for a picture of it: it goes with the sound.
  `
  CREATE TABLE peaks (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id),
    peaks TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER peaks_end_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded', 'lost')
  BEGIN DELETE FROM peaks WHERE recording_id = NEW.id; END;
  CREATE TRIGGER log_holds_peaks AFTER DELETE ON peaks
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  `,
  // Where else than in its archive something of a recording lies, or may lie: it is being moved, or was.
  `
  CREATE TABLE archive_copies (
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    archive TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('coming', 'left')),
    locked_until INTEGER,
    PRIMARY KEY (recording_id, archive)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX archive_copies_by_archive ON archive_copies (archive, recording_id);
  CREATE INDEX recordings_by_archive ON recordings (archive, id, bytes) WHERE status = 'archived';
  `,
  // For lists of some calls and recordings: of a line, a purpose, a result, or a day.
  `
  CREATE INDEX calls_listed ON calls (id, line, purposes, result);
  CREATE INDEX recordings_by_start ON recordings (started_at);
  `,
  // Who was told: who called, or who was called.
  `
  ALTER TABLE calls ADD COLUMN direction TEXT NOT NULL DEFAULT 'incoming' CHECK (direction IN ('incoming', 'outgoing'));
  `,
  // Which of those who came into a talk was told, and heard this: their channel.
  `
  ALTER TABLE said ADD COLUMN newcomer TEXT;
  ALTER TABLE changes ADD COLUMN newcomer TEXT;
  `,
  // For the list of recordings that somebody has marked.
  `
  CREATE INDEX changes_exemplary ON changes (call_id) WHERE change = 'exemplaryMarked';
  `,
  // Whose recordings they are, where an installation records for several companies: as the line said when the call came.
  `
  ALTER TABLE calls ADD COLUMN controller TEXT;
  ALTER TABLE recordings ADD COLUMN controller TEXT;
  DROP INDEX calls_listed;
  CREATE INDEX calls_listed ON calls (id, line, purposes, result, controller);
  CREATE INDEX recordings_by_controller ON recordings (controller, id) WHERE controller IS NOT NULL;
  `,
  // The whole notice of an earlier call that counted for this one, and when it was heard.
  `
  ALTER TABLE calls ADD COLUMN earlier_call TEXT;
  ALTER TABLE calls ADD COLUMN earlier_told_at INTEGER;
  `,
  // Calls without a recording have an end, but for those whose notice counts for a later one.
  `
  CREATE INDEX calls_by_earlier ON calls (earlier_call) WHERE earlier_call IS NOT NULL;
  CREATE TRIGGER log_holds_calls AFTER DELETE ON calls
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  `,
  // A step may be of no recording: somebody signed in, or searched by a number. SQLite takes NOT NULL from a column only by a new table. Its
  // rows are copied unchanged, so every digest and link holds. What names a recording that is not there, as after an attack, is
  // copied too: a trigger stands in the place of the reference, which would refuse it, and asks of new lines alone.
  `
  CREATE TABLE audit_of_all (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    recording_id TEXT,
    event TEXT NOT NULL,
    from_status TEXT,
    to_status TEXT,
    actor TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}',
    chain TEXT
  ) STRICT;
  INSERT INTO audit_of_all (id, at, recording_id, event, from_status, to_status, actor, detail, chain)
  SELECT id, at, recording_id, event, from_status, to_status, actor, detail, chain FROM audit ORDER BY id;
  DROP TABLE audit;
  ALTER TABLE audit_of_all RENAME TO audit;
  CREATE INDEX audit_by_recording ON audit (recording_id);
  CREATE INDEX audit_by_end ON audit (at, to_status, recording_id) WHERE to_status IN ('erased', 'failed', 'lost');
  CREATE INDEX audit_of_requests ON audit (at)
    WHERE event IN ('erasure asked by the person, refused', 'erasure asked by the person, failed');
  CREATE TRIGGER audit_is_append_only_1 BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
  CREATE TRIGGER audit_is_append_only_2 BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
  CREATE TRIGGER audit_names_recordings BEFORE INSERT ON audit
  WHEN NEW.recording_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM recordings WHERE id = NEW.recording_id)
  BEGIN SELECT RAISE(ABORT, 'no such recording'); END;
  `,
  // Who is signed in, who could not sign in, and who asked to hear what. Of names and addresses in sign_in_failures a part of
  // a hash is kept: people type passwords in the place of names.
  `
  CREATE TABLE sessions (
    sha256 TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    credential TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_user ON sessions (user);
  CREATE TABLE sign_in_failures (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    address TEXT NOT NULL
  ) STRICT;
  CREATE INDEX sign_in_failures_by_user ON sign_in_failures (user, at);
  CREATE INDEX sign_in_failures_by_address ON sign_in_failures (address, at);
  CREATE TABLE sign_in_codes (
    sha256 TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    ends_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE one_time_codes (
    user TEXT PRIMARY KEY,
    period INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    purpose TEXT NOT NULL,
    asker TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    open_until INTEGER NOT NULL,
    verdict TEXT CHECK (verdict IN ('approved', 'refused', 'expired')),
    decided_at INTEGER,
    decided_by TEXT,
    ends_at INTEGER
  ) STRICT;
  CREATE INDEX approvals_of_recording ON approvals (recording_id, asker);
  CREATE INDEX approvals_open ON approvals (id) WHERE verdict IS NULL;
  -- It is in words of people, and may name some.
  CREATE TRIGGER asking_ends_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded')
  BEGIN UPDATE approvals SET reason = '' WHERE recording_id = NEW.id; END;
  `,
  // For programs that look for calls, newest first: one index for each question. Most have calls only once they have ended, so that a call
  // that goes on is written as quickly as before.
  `
  CREATE TABLE extensions (
    call_id TEXT PRIMARY KEY REFERENCES calls (id),
    extension TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX extensions_by_extension ON extensions (extension, call_id);
  CREATE TRIGGER extensions_end_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded')
  BEGIN DELETE FROM extensions WHERE call_id = NEW.call_id; END;
  CREATE TRIGGER log_holds_extensions AFTER DELETE ON extensions
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  CREATE INDEX calls_by_line ON calls (line, id) WHERE state IS NULL;
  CREATE INDEX calls_by_result ON calls (result, id) WHERE state IS NULL;
  CREATE INDEX calls_by_reason ON calls (reason, id) WHERE state IS NULL;
  CREATE INDEX calls_by_purposes ON calls (purposes, id) WHERE state IS NULL;
  CREATE INDEX calls_by_languages ON calls (languages, id) WHERE state IS NULL;
  CREATE INDEX calls_outgoing ON calls (id) WHERE direction = 'outgoing';
  CREATE INDEX recordings_of_status ON recordings (status, call_id);
  CREATE INDEX recordings_flagged ON recordings (flags, call_id) WHERE flags <> '[]';
  CREATE INDEX calls_unrecorded ON calls (started_at, line, reason) WHERE result = 'unrecorded';
  CREATE INDEX changes_turned_away ON changes (call_id) WHERE change = 'turnedAway';
  `,
  // So that a page of what is held, and a report of what was not recorded, goes through an index in the order that it is wanted in, and sorts
  // nothing: the call of a hold, and the day of UTC.
  `
  ALTER TABLE holds ADD COLUMN call_id TEXT;
  UPDATE holds SET call_id = (SELECT call_id FROM recordings WHERE id = recording_id);
  CREATE INDEX holds_by_call ON holds (call_id) WHERE released_at IS NULL;
  DROP INDEX calls_unrecorded;
  CREATE INDEX calls_unrecorded_by_day ON calls (started_at / 86400000, line, reason, started_at) WHERE result = 'unrecorded';
  `,
  // What people write about a recording: tags, a rating, comments, and the collections that it is in. Such words may tell of who
  // called, and of who answered: they go with the sound.
  `
  CREATE TABLE annotations (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id),
    call_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    rating TEXT,
    score INTEGER,
    rated_by TEXT,
    rated_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX annotations_rated ON annotations (call_id, score) WHERE score IS NOT NULL;
  CREATE TABLE tags (
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    tag TEXT NOT NULL,
    call_id TEXT NOT NULL,
    PRIMARY KEY (recording_id, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_by_tag ON tags (tag, call_id);
  CREATE TABLE comments (
    id TEXT PRIMARY KEY,
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    at_ms INTEGER,
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    changed_at INTEGER,
    version INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX comments_of_recording ON comments (recording_id);
  CREATE TABLE collected (
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    collection TEXT NOT NULL,
    call_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    PRIMARY KEY (recording_id, collection)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX collected_in_order ON collected (collection, position);
  CREATE INDEX collected_by_call ON collected (collection, call_id);
  CREATE TRIGGER annotation_ends_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded', 'lost')
  BEGIN
    DELETE FROM annotations WHERE recording_id = NEW.id;
    DELETE FROM tags WHERE recording_id = NEW.id;
    DELETE FROM comments WHERE recording_id = NEW.id;
    DELETE FROM collected WHERE recording_id = NEW.id;
  END;
  CREATE TRIGGER log_holds_annotations AFTER DELETE ON annotations
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  CREATE TRIGGER log_holds_tags AFTER DELETE ON tags
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  CREATE TRIGGER log_holds_comments AFTER DELETE ON comments
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  CREATE INDEX calls_by_controller ON calls (ifnull(controller, ''), id) WHERE state IS NULL;
  -- For who looks which of their questions were answered.
  CREATE INDEX approvals_by_asker ON approvals (asker, id);
  `,
  // For who reads the audit trail of a time.
  `
  CREATE INDEX audit_by_time ON audit (at);
  `,
  // Which number of the company the caller of a call dialled. It has an end of its own, and ends with the recording at the latest.
  `
  CREATE TABLE dialled (
    call_id TEXT PRIMARY KEY REFERENCES calls (id),
    number TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dialled_by_number ON dialled (number, call_id);
  CREATE TRIGGER dialled_ends_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded')
  BEGIN DELETE FROM dialled WHERE call_id = NEW.call_id; END;
  CREATE TRIGGER log_holds_dialled AFTER DELETE ON dialled
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  `,
  // What somebody has decided to erase, until it is erased, so that the retention pass does what a killed process has left; and what persons
  // have asked for: what there was, to be read again for a while, and what is still to be forgotten.
  `
  CREATE TABLE asked_erasures (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id),
    cause TEXT NOT NULL,
    asked_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER asked_erasures_end_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded')
  BEGIN DELETE FROM asked_erasures WHERE recording_id = NEW.id; END;
  CREATE TABLE person_requests (
    id TEXT PRIMARY KEY,
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    controller TEXT,
    reference TEXT,
    found TEXT,
    forget TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX person_requests_by_end ON person_requests (ends_at);
  CREATE INDEX person_requests_unforgotten ON person_requests (id) WHERE forget IS NOT NULL;
  CREATE TRIGGER log_holds_forgotten AFTER UPDATE OF forget ON person_requests
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  CREATE TRIGGER log_holds_person_requests AFTER DELETE ON person_requests
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  `,
  // A collection is filled, and read, by each company for itself.
  `
  ALTER TABLE collected ADD COLUMN controller TEXT NOT NULL DEFAULT '';
  UPDATE collected SET controller = ifnull((SELECT controller FROM recordings WHERE id = recording_id), '');
  CREATE INDEX collected_of_company ON collected (collection, controller, position);
  `,
  // The reason of a question goes with a recording that is lost, too, as what else people wrote about it; and from the write-ahead log.
  `
  DROP TRIGGER asking_ends_with_recordings;
  CREATE TRIGGER asking_ends_with_recordings AFTER UPDATE OF status ON recordings
  WHEN NEW.status IN ('erased', 'discarded', 'lost')
  BEGIN UPDATE approvals SET reason = '' WHERE recording_id = NEW.id; END;
  CREATE TRIGGER log_holds_reasons AFTER UPDATE OF reason ON approvals WHEN OLD.reason <> NEW.reason
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  CREATE TRIGGER log_holds_approvals AFTER DELETE ON approvals WHEN OLD.reason <> ''
  BEGIN UPDATE log_debt SET erased = erased + 1; END;
  UPDATE approvals SET reason = '' WHERE recording_id IN (SELECT id FROM recordings WHERE status = 'lost');
  `,
  // Calls of a day are counted by result and language from the index alone.
  `
  DROP INDEX calls_by_start;
  CREATE INDEX calls_by_start ON calls (started_at, result, languages, controller);
  `,
  // Which PBX a call came to, where there are several. Whoever has one has no line in the index.
  `
  ALTER TABLE calls ADD COLUMN pbx TEXT;
  CREATE INDEX calls_by_pbx ON calls (pbx, id) WHERE pbx IS NOT NULL;
  `,
  // What was decided to be erased before such a decision ended the purposes by itself. Its line in the audit trail stands.
  `
  UPDATE recording_purposes SET keep_until =
    min(keep_until, (SELECT asked_at FROM asked_erasures WHERE asked_erasures.recording_id = recording_purposes.recording_id))
  WHERE recording_id IN (SELECT recording_id FROM asked_erasures);
  UPDATE recordings SET keep_until = coalesce(min(keep_until, asked.asked_at), asked.asked_at)
  FROM asked_erasures AS asked WHERE asked.recording_id = recordings.id AND status IN ('recorded', 'archived', 'failed');
  `,
  // Who holds a lease is told by an id made at random, and not by a name of a host and a number; and whose turn it is, by a number that outlives the
  // lease. Which serve has what is named anew, by PBX and application.
  `
  ALTER TABLE leases ADD COLUMN holder TEXT;
  ALTER TABLE leases ADD COLUMN machine TEXT;
  ALTER TABLE leases ADD COLUMN started TEXT;
  DELETE FROM leases WHERE job IN ('serve', 'serving');
  UPDATE leases SET holder = host || ' ' || pid;
  CREATE TABLE lease_turns (
    job TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    number INTEGER NOT NULL
  ) STRICT;
  `,
  // Until when each serve has seen every event. The table watch has that of the only one of an earlier release.
  `
  CREATE TABLE watches (
    serve TEXT PRIMARY KEY,
    until INTEGER NOT NULL
  ) STRICT;
  `,
  // Which serve of a PBX has a call: the application of that.
  `
  ALTER TABLE calls ADD COLUMN application TEXT;
  `,
  // What happened in a call is told again where nobody knows whether it was kept, and is kept once. What was kept before has no such id, and no line in
  // the index.
  `
  ALTER TABLE changes ADD COLUMN happening TEXT;
  CREATE UNIQUE INDEX changes_once ON changes (happening) WHERE happening IS NOT NULL;
  `,
  // Calls of one PBX of several are counted from an index as those of all are. Where no PBX has a name, neither has a line.
  `
  CREATE INDEX calls_of_pbx_by_start ON calls (pbx, started_at, controller) WHERE pbx IS NOT NULL;
  CREATE INDEX calls_unrecorded_of_pbx ON calls (pbx, started_at / 86400000, line, reason, started_at, controller)
    WHERE result = 'unrecorded' AND pbx IS NOT NULL;
  `,
];
