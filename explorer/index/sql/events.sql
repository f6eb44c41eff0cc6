-- Actor events that stand beside the rows that they are about.

-- name: add_deal_events
INSERT INTO explorer.deal_events (deal_id, type, height)
SELECT DISTINCT * FROM unnest($1::bigint[], $2::explorer.deal_event[], $3::bigint[])
ON CONFLICT (deal_id, type, height) DO NOTHING

-- name: add_sector_terminations
INSERT INTO explorer.sector_terminations (provider_id, sector, height)
SELECT DISTINCT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
ON CONFLICT (provider_id, sector, height) DO NOTHING
