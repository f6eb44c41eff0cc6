-- What was done, by whom: append-only, and chained by hashes.
--
--     genesis(network) ◄─previous── 1 ◄─previous── 2 ◄─previous── … ◄─previous── n, the head

CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'What was done, by whom: append-only, and chained by hashes.';

CREATE TABLE audit.entries (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    facts text NOT NULL,
    previous bytea NOT NULL UNIQUE CHECK (octet_length(previous) = 32),
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32)
);
COMMENT ON TABLE audit.entries IS 'One thing that was done; written in its transaction.';
COMMENT ON COLUMN audit.entries.seq IS '1, 2, 3 and so on without holes: writers take turns.';
COMMENT ON COLUMN audit.entries.actor_name IS 'As it was then.';
COMMENT ON COLUMN audit.entries.action IS 'What was done, as review.decided.';
COMMENT ON COLUMN audit.entries.subject IS 'The id of what it was done to.';
COMMENT ON COLUMN audit.entries.facts IS 'A JSON object in its canonical form. Text, since jsonb would not give the same bytes back.';
COMMENT ON COLUMN audit.entries.previous IS 'The hash of the entry before; of the first, a hash that names the network. Unique, so that the chain has no fork.';
COMMENT ON COLUMN audit.entries.hash IS 'SHA-256 of the entry''s canonical JSON with everything but this.';
CREATE INDEX entries_subject ON audit.entries (subject, seq);
CREATE INDEX entries_actor ON audit.entries (actor_id, seq);
CREATE INDEX entries_action ON audit.entries (action, seq);

CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION audit.refuse IS 'Keeps what was written. Who owns the table can switch it off; filplus audit verify then tells.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER append_only;
