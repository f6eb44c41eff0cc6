-- How far the events from before the start of following were asked for.

CREATE TABLE explorer.backfill (
    start_epoch bigint PRIMARY KEY,
    reached_epoch bigint NOT NULL,
    is_done boolean NOT NULL DEFAULT false,
    reason text,
    CHECK (reached_epoch <= start_epoch),
    CHECK (is_done OR reason IS NULL)
);
COMMENT ON TABLE explorer.backfill IS 'The sector-terminated events from before a start of following, asked for from the start downwards.';
COMMENT ON COLUMN explorer.backfill.start_epoch IS 'Where following began: the events of lower epochs are asked for.';
COMMENT ON COLUMN explorer.backfill.reached_epoch IS 'Those of this epoch and of all up to the start were asked for.';
COMMENT ON COLUMN explorer.backfill.is_done IS 'There are no lower ones, or the node gives none: see reason.';
COMMENT ON COLUMN explorer.backfill.reason IS 'Why the node gives no lower ones; NULL where it gave all that there are.';
