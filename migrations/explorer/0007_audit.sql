-- What was done, by whom: append-only, and chained by hashes.

CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'What was done, by whom: append-only, and chained by hashes.';
