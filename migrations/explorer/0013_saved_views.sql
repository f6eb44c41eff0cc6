-- Views that notaries saved: the filters of a page, by a name of their own.

CREATE TABLE access.saved_views (
    notary_id text NOT NULL REFERENCES access.notaries ON DELETE CASCADE,
    page text NOT NULL,
    name text NOT NULL,
    query text NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (notary_id, page, name)
);
COMMENT ON TABLE access.saved_views IS 'What a notary looks at again and again: shown as links, to that notary alone.';
COMMENT ON COLUMN access.saved_views.page IS 'The page whose filters these are: reviews, audit.';
COMMENT ON COLUMN access.saved_views.query IS 'The filters as the page''s address has them: state=%21open&cluster=eu.';
