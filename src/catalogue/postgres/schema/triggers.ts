/** Triggers of the first step, as SQLite has them after all of its own (catalogue/migrations.ts); and the chain of the audit trail. */

/** A function of the trigger's name. It finds the tables of the catalogue whoever changes one, and whatever they have set. */
const definition = (name: string, body: string): string => `
  CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  ${body}
  $$;`;

/** What goes with a recording that comes to one of these. */
function endsWithRecordings(name: string, statuses: readonly string[], statements: readonly string[]): string {
  return `${definition(name, `BEGIN ${statements.join(' ')} RETURN NULL; END`)}
  CREATE TRIGGER ${name} AFTER UPDATE OF status ON recordings
    FOR EACH ROW WHEN (NEW.status IN (${statuses.map((status) => `'${status}'`).join(', ')})) EXECUTE FUNCTION ${name}();`;
}

const refusal = (why: string): string =>
  `RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = '${why}';`;

const gone = ['erased', 'discarded'];
const goneOrLost = [...gone, 'lost'];

const endings = [
  endsWithRecordings('callers_end_with_recordings', gone, ['DELETE FROM callers WHERE call_id = NEW.call_id;']),
  // It is in words of people, and may name some.
  endsWithRecordings('reasons_end_with_recordings', gone, [
    `UPDATE holds SET reason = '' WHERE recording_id = NEW.id;`,
  ]),
  endsWithRecordings('peaks_end_with_recordings', goneOrLost, ['DELETE FROM peaks WHERE recording_id = NEW.id;']),
  endsWithRecordings('extensions_end_with_recordings', gone, ['DELETE FROM extensions WHERE call_id = NEW.call_id;']),
  endsWithRecordings('annotation_ends_with_recordings', goneOrLost, [
    'DELETE FROM annotations WHERE recording_id = NEW.id;',
    'DELETE FROM tags WHERE recording_id = NEW.id;',
    'DELETE FROM comments WHERE recording_id = NEW.id;',
    'DELETE FROM collected WHERE recording_id = NEW.id;',
  ]),
  endsWithRecordings('dialled_ends_with_recordings', gone, ['DELETE FROM dialled WHERE call_id = NEW.call_id;']),
  endsWithRecordings('asked_erasures_end_with_recordings', gone, [
    'DELETE FROM asked_erasures WHERE recording_id = NEW.id;',
  ]),
  endsWithRecordings('asking_ends_with_recordings', goneOrLost, [
    `UPDATE approvals SET reason = '' WHERE recording_id = NEW.id;`,
  ]),
];

const appendOnly = `
  ${definition('audit_is_append_only_1', `BEGIN ${refusal('append only')} END`)}
  CREATE TRIGGER audit_is_append_only_1 BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only_1();
  ${definition('audit_is_append_only_2', `BEGIN ${refusal('append only')} END`)}
  CREATE TRIGGER audit_is_append_only_2 BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only_2();
  ${definition('audit_is_append_only_3', `BEGIN ${refusal('append only')} END`)}
  CREATE TRIGGER audit_is_append_only_3 BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_is_append_only_3();`;

/** PostgreSQL takes no subquery into WHEN. */
const namesRecordings = `
  ${definition(
    'audit_names_recordings',
    `BEGIN
    IF NEW.recording_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM recordings WHERE id = NEW.recording_id) THEN
      ${refusal('no such recording')}
    END IF;
    RETURN NEW;
  END`,
  )}
  CREATE TRIGGER audit_names_recordings BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_names_recordings();`;

/**
 * A line without a number is appended: it gets the next one, and its link. One writer does so at a time, until its transaction ends, so that
 * lines come to be seen in the order of the chain and none is linked to what was rolled back. A line that has a number was moved here
 * from another catalogue, and is kept as it is.
 *
 * Each query of the function sees what was committed when it began, and so the line of who had the lock before. A transaction that sees one
 * moment alone would link to an older line, and is refused.
 */
const chained = `
  ${definition(
    'audit_is_chained',
    `DECLARE before text;
  BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      ${refusal('the audit trail is appended to in transactions that are read committed')}
    END IF;
    PERFORM pg_advisory_xact_lock(x'70726176'::integer, 1);
    SELECT coalesce(max(id), 0) + 1 INTO NEW.id FROM audit;
    SELECT chain INTO before FROM audit WHERE chain IS NOT NULL ORDER BY id DESC LIMIT 1;
    NEW.chain := preavis_link(before, NEW.at, NEW.recording_id, NEW.event, NEW.from_status, NEW.to_status, NEW.actor, NEW.detail);
    RETURN NEW;
  END`,
  )}
  CREATE TRIGGER audit_is_chained BEFORE INSERT ON audit
    FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION audit_is_chained();`;

export const triggers = [...endings, appendOnly, namesRecordings, chained].join('');
