-- Word that sessions or keys have ended.

-- name: tell
SELECT pg_notify('access_ended', '')

-- name: look
SELECT true
