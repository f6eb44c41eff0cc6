-- What the notaries' pages ask for.

CREATE INDEX decisions_notary ON reviews.decisions (notary, id);
COMMENT ON INDEX reviews.decisions_notary IS 'What a notary has said, the newest first.';
