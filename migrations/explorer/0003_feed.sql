-- The feed: what happened, in the order in which it was committed, for those who watch (`GET /events`).
--
--     change and feed row, one transaction ─► COMMIT ─► NOTIFY explorer_feed ─► every process reads what is new

CREATE TABLE explorer.feed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    type text NOT NULL,
    piece bytea,
    data jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object')
);
COMMENT ON TABLE explorer.feed IS 'Small events, appended in the transaction of what they tell, and pruned by age and number. The newest always stays.';
COMMENT ON COLUMN explorer.feed.id IS 'Ascends in the order of the commits: writers take turns.';
COMMENT ON COLUMN explorer.feed.type IS 'head: the followed chain moved; cid: the records over a piece changed; import: a file or a state was read.';
COMMENT ON COLUMN explorer.feed.piece IS 'Piece commitment of a cid event. NULL: the event may bear on every CID.';
CREATE INDEX feed_at ON explorer.feed (at);

CREATE FUNCTION explorer.feed_in_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('explorer.feed', 0));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION explorer.feed_in_turn IS 'Held until the commit, before the first id is drawn: a reader of higher ids never misses a lower one. Append to the feed last.';

CREATE FUNCTION explorer.feed_grew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('explorer_feed', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER in_turn BEFORE INSERT ON explorer.feed
    FOR EACH STATEMENT EXECUTE FUNCTION explorer.feed_in_turn();
CREATE TRIGGER grew AFTER INSERT ON explorer.feed
    FOR EACH STATEMENT EXECUTE FUNCTION explorer.feed_grew();

CREATE FUNCTION explorer.tell_of_import() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO explorer.feed (type, data) VALUES ('import', jsonb_build_object(
        'kind', NEW.kind, 'source', NEW.source, 'epoch', NEW.epoch, 'complete', NEW.complete,
        'records', NEW.records, 'rejected', NEW.rejected
    ));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION explorer.tell_of_import IS 'A file, or the state of a node, can change whatever there is: one event, of no piece.';

CREATE TRIGGER tell AFTER INSERT ON explorer.imports
    FOR EACH ROW EXECUTE FUNCTION explorer.tell_of_import();
