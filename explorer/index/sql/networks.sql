-- name: write_network
INSERT INTO explorer.network (name) VALUES ($1) ON CONFLICT DO NOTHING

-- name: network
SELECT name FROM explorer.network
