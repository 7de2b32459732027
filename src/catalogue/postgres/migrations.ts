import { functions } from './schema/functions.ts';
import { tables } from './schema/tables.ts';
import { triggers } from './schema/triggers.ts';

/** All of the catalogue is in this schema of its database. */
export const schemaName = 'preavis';

/** What tells this catalogue from any other, as in SQLite. */
const identity = `
  INSERT INTO identity (id) VALUES (encode(substring(sha256(uuid_send(gen_random_uuid())) FOR 8), 'hex'));
`;

/** Whose schema it is, and how many steps were applied to it. */
const form = `
  CREATE TABLE schema_form (
    id bigint PRIMARY KEY CHECK (id = 1),
    program text COLLATE "C" NOT NULL,
    steps bigint NOT NULL,
    installation text COLLATE "C"
  );
  INSERT INTO schema_form (id, program, steps) VALUES (1, 'preavis', 0);
`;

/** Which PBX a call came to, where there are several. */
const pbx = `
  ALTER TABLE calls ADD COLUMN pbx text COLLATE "C";
  CREATE INDEX calls_by_pbx ON calls (pbx, id) WHERE pbx IS NOT NULL;
`;

/** Leases have holders with ids made at random, and turns that outlive them. */
const turns = `
  ALTER TABLE leases ADD COLUMN holder text COLLATE "C";
  ALTER TABLE leases ADD COLUMN machine text COLLATE "C";
  ALTER TABLE leases ADD COLUMN started text COLLATE "C";
  DELETE FROM leases;
  CREATE TABLE lease_turns (
    job text COLLATE "C" PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    number bigint NOT NULL
  );
`;

/** Each serve watches its own calls. */
const watches = `
  CREATE TABLE watches (
    serve text COLLATE "C" PRIMARY KEY,
    until bigint NOT NULL
  );
`;

/** Which serve of a PBX has a call: the application of that. */
const workers = `
  ALTER TABLE calls ADD COLUMN application text COLLATE "C";
`;

/** What happened in a call is kept once, however often it is told. */
const happenings = `
  ALTER TABLE changes ADD COLUMN happening text COLLATE "C";
  CREATE UNIQUE INDEX changes_once ON changes (happening) WHERE happening IS NOT NULL;
`;

/** Calls of one PBX of several are counted from an index as those of all are. */
const countedByPbx = `
  CREATE INDEX calls_of_pbx_by_start ON calls (pbx, started_at, controller) WHERE pbx IS NOT NULL;
  CREATE INDEX calls_unrecorded_of_pbx ON calls (pbx, (started_at / 86400000), line, reason, started_at, controller)
    WHERE result = 'unrecorded' AND pbx IS NOT NULL;
`;

/**
 * The schema, step by step. A step that was released is never changed; the next one is added behind it. Each change of SQLite's
 * (catalogue/migrations.ts) has its counterpart here, which a test compares. All times are ms since 1970 UTC.
 */
export const postgresMigrations: readonly string[] = [
  form + functions + tables + triggers + identity,
  pbx,
  turns,
  watches,
  workers,
  happenings,
  countedByPbx,
];
