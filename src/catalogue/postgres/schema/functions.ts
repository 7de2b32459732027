/**
 * Functions of the first step: what SQLite has and PostgreSQL has not, so that one text of a statement serves both, as far as statements
 * of the catalogue use it; and the link of the audit trail.
 */
export const functions = `
  -- A text as JSON.stringify writes it: PostgreSQL escapes the same characters in the same way.
  CREATE FUNCTION preavis_json(content text) RETURNS text STABLE LANGUAGE sql AS
    $$ SELECT coalesce(to_json(content)::text, 'null') $$;
  -- As core/crypto/hashChain.ts makes it, of the same bytes.
  CREATE FUNCTION preavis_link(
    before text, at bigint, recording text, event text, from_status text, to_status text, actor text, detail text
  ) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT encode(sha256(convert_to(coalesce(before, repeat('0', 64)) || encode(sha256(convert_to(
      '[' || at || ',' || preavis_json(recording) || ',' || preavis_json(event) || ',' || preavis_json(from_status) || ','
      || preavis_json(to_status) || ',' || preavis_json(actor) || ',' || preavis_json(detail) || ']',
      'UTF8')), 'hex'), 'UTF8')), 'hex')
  $$;

  -- Of several values the greatest and the least; null where one of them is.
  CREATE FUNCTION max(one bigint, other bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS
    $$ SELECT CASE WHEN one >= other THEN one WHEN one < other THEN other END $$;
  CREATE FUNCTION min(one bigint, other bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS
    $$ SELECT CASE WHEN one <= other THEN one WHEN one > other THEN other END $$;

  CREATE FUNCTION instr(content text, part text) RETURNS integer IMMUTABLE LANGUAGE sql AS
    $$ SELECT strpos(content, part) $$;
  -- A day of UTC, of seconds since 1970.
  CREATE FUNCTION date(seconds bigint, form text) RETURNS text STABLE LANGUAGE sql AS
    $$ SELECT CASE form WHEN 'unixepoch' THEN to_char(to_timestamp(seconds) AT TIME ZONE 'UTC', 'YYYY-MM-DD') END $$;
  CREATE FUNCTION hex(content bytea) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT upper(encode(content, 'hex')) $$;
  -- At most 32 bytes.
  CREATE FUNCTION randomblob(length integer) RETURNS bytea VOLATILE LANGUAGE sql AS
    $$ SELECT substring(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) FOR length) $$;

  -- The members of a list. Those of SQLite have their type; these are texts, lists and objects as JSON.
  CREATE FUNCTION json_each(list text) RETURNS TABLE (value text) IMMUTABLE STRICT LANGUAGE sql AS
    $$ SELECT jsonb_array_elements_text(list::jsonb) $$;
  CREATE FUNCTION json_each(document text, path text) RETURNS TABLE (value text) IMMUTABLE STRICT LANGUAGE sql AS
    $$ SELECT jsonb_array_elements_text(jsonb_path_query_first(document::jsonb, path::jsonpath)) $$;
  -- What there is at a path, as text; lists and objects as JSON. null where there is nothing.
  CREATE FUNCTION json_extract(document text, path text) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT jsonb_path_query_first(document::jsonb, path::jsonpath) #>> '{}' $$;
  CREATE FUNCTION json_of_texts(texts text[]) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT to_json(texts)::text $$;
  -- A list with one more member, a text, for the path '$[#]' alone.
  CREATE FUNCTION json_insert(list text, path text, member text) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT CASE path WHEN '$[#]' THEN json_of_texts(ARRAY(SELECT jsonb_array_elements_text(list::jsonb)) || member) END $$;
  CREATE AGGREGATE json_group_array(text) (
    SFUNC = array_append, STYPE = text[], INITCOND = '{}', FINALFUNC = json_of_texts
  );
`;
