-- Reviews: a cluster asks, notaries decide.

CREATE SCHEMA reviews;
COMMENT ON SCHEMA reviews IS 'Reviews: a cluster asks, notaries decide.';
