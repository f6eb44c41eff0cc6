-- Since when nodes dispute what is final: a restart while one of them is silent must not forget it.

CREATE TABLE explorer.disputes (
    node text PRIMARY KEY,
    height bigint NOT NULL,
    key bytea[] NOT NULL CHECK (cardinality(key) > 0),
    detail text NOT NULL,
    since timestamptz NOT NULL
);
COMMENT ON TABLE explorer.disputes IS 'The disputes that stand: nodes that had another tipset where one was to be final, and have not agreed since.';
COMMENT ON COLUMN explorer.disputes.node IS 'Host and port of the node, as FILPLUS_CHAIN_URL names it.';
COMMENT ON COLUMN explorer.disputes.height IS 'The epoch of the tipset that it disputed last.';
COMMENT ON COLUMN explorer.disputes.key IS 'The CIDs of that tipset''s blocks: ours, not the node''s.';
