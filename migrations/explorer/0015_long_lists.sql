-- What long lists lean on.

CREATE INDEX deliveries_state ON alerts.deliveries (state, id);
COMMENT ON INDEX alerts.deliveries_state IS 'Those of one state, the newest first: a few dead letters among many that were delivered.';

COMMENT ON COLUMN reviews.inputs.place IS 'From 1 without a gap, and none is ever removed: the last is how many there are.';
