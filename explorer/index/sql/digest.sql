-- The lines of a digest, hashed; {state} is a query of drift.sql. One row a page of ids above $2: the last id of the
-- page, the SHA-256 of each line in it, one after the other, and the same of the lines of labels.

-- name: claims
SELECT max(id) AS last_id,
       string_agg(sha256(convert_to(concat_ws(',', 'claim', id, client_id, provider_id,
           coalesce(encode(piece, 'hex'), ''), coalesce(encode(data_cid, 'hex'), ''), size_bytes,
           term_min_epochs, term_max_epochs, term_start_epoch, sector), 'UTF8')), ''::bytea)
           FILTER (WHERE in_state) AS hashes,
       NULL::bytea AS label_hashes
FROM ({state}) AS s

-- name: allocations
SELECT max(id) AS last_id,
       string_agg(sha256(convert_to(concat_ws(',', 'allocation', id, client_id, provider_id,
           coalesce(encode(piece, 'hex'), ''), coalesce(encode(data_cid, 'hex'), ''), size_bytes,
           term_min_epochs, term_max_epochs, expiration_epoch), 'UTF8')), ''::bytea)
           FILTER (WHERE in_state) AS hashes,
       NULL::bytea AS label_hashes
FROM ({state}) AS s

-- name: deals
SELECT max(id) AS last_id,
       string_agg(sha256(convert_to(concat_ws(',', 'deal', id, client_id, provider_id,
           coalesce(encode(piece, 'hex'), ''), coalesce(encode(data_cid, 'hex'), ''), size_bytes,
           verified::integer, start_epoch, end_epoch, sector_start_epoch), 'UTF8')), ''::bytea)
           FILTER (WHERE in_state) AS hashes,
       string_agg(sha256(convert_to(concat_ws(',', 'label', id, encode(label, 'hex')), 'UTF8')), ''::bytea)
           FILTER (WHERE in_state AND label <> '') AS label_hashes
FROM ({state}) AS s
