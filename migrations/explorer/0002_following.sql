-- Following a node: the chain as far as it was followed, what each of its tipsets did to the index, and how to take it back.
--
--     tipset 270 ─► its parent's events change rows ─► undo keeps each row as it was before
--     reorg        ─► take_back(270) puts them back  ─► the other tipset 270 is applied

CREATE TABLE explorer.tipsets (
    height bigint PRIMARY KEY,
    key bytea[] NOT NULL CHECK (cardinality(key) > 0),
    parent_weight numeric(40) NOT NULL,
    told jsonb
);
COMMENT ON TABLE explorer.tipsets IS 'The followed chain. Where heights are missing between two rows, those were null rounds.';
COMMENT ON COLUMN explorer.tipsets.key IS 'The CIDs of its blocks, in the tipset''s order.';
COMMENT ON COLUMN explorer.tipsets.told IS 'What the messages of the tipset below did, as the node told; NULL once it is final.';

CREATE TABLE explorer.following (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    genesis_cid bytea NOT NULL,
    genesis_time bigint NOT NULL,
    start_epoch bigint NOT NULL,
    final_epoch bigint NOT NULL,
    final_source text NOT NULL,
    safe_epoch bigint NOT NULL,
    network_version integer NOT NULL,
    retires_at_epoch bigint,
    CHECK (start_epoch <= final_epoch)
);
COMMENT ON TABLE explorer.following IS 'Where following a node began, and what is final. No row: no node was ever followed.';
COMMENT ON COLUMN explorer.following.genesis_cid IS 'The block that the followed chain began with: two networks may share a name, never a genesis.';
COMMENT ON COLUMN explorer.following.genesis_time IS 'Unix seconds of epoch 0.';
COMMENT ON COLUMN explorer.following.start_epoch IS 'The epoch of the state that following began with; the events of every height from here on were asked for.';
COMMENT ON COLUMN explorer.following.final_epoch IS 'The newest tipset that no reorg will undo.';
COMMENT ON COLUMN explorer.following.final_source IS 'Who says so: the node''s own word, or depth below the head.';
COMMENT ON COLUMN explorer.following.retires_at_epoch IS 'The first epoch at network version 29, as the node reported it.';

CREATE TABLE explorer.holes (
    kind explorer.record_kind NOT NULL CHECK (kind IN ('deals', 'claims', 'allocations')),
    from_height bigint NOT NULL,
    through_height bigint NOT NULL,
    reason text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, from_height),
    CHECK (from_height <= through_height)
);
COMMENT ON TABLE explorer.holes IS 'Heights from the start on whose events are not known, and why. A null round is none.';

CREATE TABLE explorer.undo (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    height bigint NOT NULL,
    table_name name NOT NULL,
    before jsonb,
    after jsonb NOT NULL
);
COMMENT ON TABLE explorer.undo IS 'Rows as they were before a tipset that is not final changed them, in the order of the changes.';
COMMENT ON COLUMN explorer.undo.before IS 'The row before the change; NULL: there was none.';
CREATE INDEX undo_height ON explorer.undo (height);

CREATE FUNCTION explorer.remember() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO explorer.undo (height, table_name, before, after)
    VALUES (current_setting('explorer.undo_height')::bigint, TG_TABLE_NAME, to_jsonb(OLD), to_jsonb(NEW));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION explorer.remember IS 'Keeps a row as it was; for transactions that set explorer.undo_height to the tipset they apply.';

CREATE FUNCTION explorer.take_back(from_height bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN
        SELECT u.table_name AS name, k.columns, k.is_same_row
        FROM (SELECT DISTINCT table_name FROM explorer.undo WHERE height >= from_height) AS u
        CROSS JOIN LATERAL (
            SELECT array_agg(a.attname::text) AS columns,
                   string_agg(format('t.%1$I = r.%1$I', a.attname), ' AND ') AS is_same_row
            FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
            WHERE i.indisprimary AND i.indrelid = format('explorer.%I', u.table_name)::regclass
        ) AS k
    LOOP
        EXECUTE format($sql$
            DELETE FROM explorer.%1$I AS t
            USING explorer.undo AS u, jsonb_populate_record(NULL::explorer.%1$I, u.after) AS r
            WHERE u.height >= $1 AND u.table_name = %1$L AND %2$s
        $sql$, changed.name, changed.is_same_row) USING from_height;
        EXECUTE format($sql$
            INSERT INTO explorer.%1$I
            SELECT r.* FROM (
                SELECT DISTINCT ON (key.of_row) u.before
                FROM explorer.undo AS u
                CROSS JOIN LATERAL (SELECT array_agg(u.after ->> c) AS of_row FROM unnest($2) AS c) AS key
                WHERE u.height >= $1 AND u.table_name = %1$L
                ORDER BY key.of_row, u.id
            ) AS oldest
            CROSS JOIN LATERAL jsonb_populate_record(NULL::explorer.%1$I, oldest.before) AS r
            WHERE oldest.before IS NOT NULL
        $sql$, changed.name) USING from_height, changed.columns;
    END LOOP;
    DELETE FROM explorer.undo WHERE height >= from_height;
    DELETE FROM explorer.tipsets WHERE height >= from_height;
END
$$;
COMMENT ON FUNCTION explorer.take_back IS 'Puts the index back to how it was before the followed tipsets from a height on.';

CREATE TRIGGER remember AFTER INSERT OR UPDATE ON explorer.claims
    FOR EACH ROW WHEN (current_setting('explorer.undo_height', true) <> '') EXECUTE FUNCTION explorer.remember();
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON explorer.claim_terms
    FOR EACH ROW WHEN (current_setting('explorer.undo_height', true) <> '') EXECUTE FUNCTION explorer.remember();
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON explorer.allocations
    FOR EACH ROW WHEN (current_setting('explorer.undo_height', true) <> '') EXECUTE FUNCTION explorer.remember();
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON explorer.deals
    FOR EACH ROW WHEN (current_setting('explorer.undo_height', true) <> '') EXECUTE FUNCTION explorer.remember();
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON explorer.deal_events
    FOR EACH ROW WHEN (current_setting('explorer.undo_height', true) <> '') EXECUTE FUNCTION explorer.remember();
CREATE TRIGGER remember AFTER INSERT OR UPDATE ON explorer.sector_terminations
    FOR EACH ROW WHEN (current_setting('explorer.undo_height', true) <> '') EXECUTE FUNCTION explorer.remember();
