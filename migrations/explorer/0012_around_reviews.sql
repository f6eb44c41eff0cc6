-- What is known around a review: who else names the same data, what its publisher asked for, how long it has waited.

-- The match key of node/cid.py, for text that was taken as a CID: of every spelling the same. A test compares the two.
--     bare text ─► digits of a base ─► one number ─► hex ─► version, codec, multihash
CREATE FUNCTION reviews.content_of(cid text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    bare text := regexp_replace(btrim(cid, E' \t\r\n'), '^((dweb|ipfs):/{0,2})?(/?ipfs/)?', '', 'i');
    is_v0 boolean := bare ~ '^Qm[1-9A-Za-z]{44}/?$';
    prefix text := CASE WHEN is_v0 THEN 'z' ELSE left(bare, 1) END;
    digits text := rtrim(CASE WHEN is_v0 THEN bare ELSE substr(bare, 2) END,
                         CASE WHEN prefix IN ('m', 'M') THEN '=' ELSE '=/' END);
    alphabet text;
    base integer;
    spare_bits integer;
    number numeric := 0;
    hex text := '';
    parts text[];
BEGIN
    alphabet := CASE
        WHEN prefix IN ('z') THEN '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
        WHEN prefix IN ('Z') THEN '123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ'
        WHEN prefix IN ('b', 'B', 'c', 'C') THEN 'abcdefghijklmnopqrstuvwxyz234567'
        WHEN prefix IN ('v', 'V', 't', 'T') THEN '0123456789abcdefghijklmnopqrstuv'
        WHEN prefix IN ('h') THEN 'ybndrfg8ejkmcpqxot1uwisza345h769'
        WHEN prefix IN ('f', 'F') THEN '0123456789abcdef'
        WHEN prefix IN ('k', 'K') THEN '0123456789abcdefghijklmnopqrstuvwxyz'
        WHEN prefix IN ('m', 'M') THEN 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
        WHEN prefix IN ('u', 'U') THEN 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        WHEN prefix IN ('0') THEN '01'
        WHEN prefix IN ('7') THEN '01234567'
        WHEN prefix IN ('9') THEN '0123456789'
    END;
    base := length(alphabet);
    digits := CASE WHEN base IN (16, 32, 36) THEN lower(digits) ELSE digits END;
    IF alphabet IS NULL OR length(digits) > 512 OR translate(digits, alphabet, '') <> '' THEN
        RETURN NULL;
    END IF;
    spare_bits := length(digits) * CASE base WHEN 2 THEN 1 WHEN 8 THEN 3 WHEN 16 THEN 4 WHEN 32 THEN 5 WHEN 64 THEN 6 ELSE 8 END % 8;
    digits := repeat(left(alphabet, 1), -length(digits) & 7) || digits;  -- zeros before a number change nothing
    FOR place IN 1..length(digits) BY 8 LOOP  -- eight at a time, since ten thousand inputs come at once
        number := number * base::numeric ^ 8 + (((((((
            (strpos(alphabet, substr(digits, place, 1)) - 1)::bigint
            * base + strpos(alphabet, substr(digits, place + 1, 1)) - 1)
            * base + strpos(alphabet, substr(digits, place + 2, 1)) - 1)
            * base + strpos(alphabet, substr(digits, place + 3, 1)) - 1)
            * base + strpos(alphabet, substr(digits, place + 4, 1)) - 1)
            * base + strpos(alphabet, substr(digits, place + 5, 1)) - 1)
            * base + strpos(alphabet, substr(digits, place + 6, 1)) - 1)
            * base + strpos(alphabet, substr(digits, place + 7, 1)) - 1);
    END LOOP;
    number := div(number, 1 << spare_bits);
    WHILE number > 0 LOOP
        hex := lpad(to_hex(mod(number, 281474976710656)::bigint), 12, '0') || hex;
        number := div(number, 281474976710656);
    END LOOP;
    hex := ltrim(hex, '0');  -- whose first byte is 01 or 12
    hex := CASE WHEN length(hex) % 2 = 1 THEN '0' ELSE '' END || hex;
    parts := CASE WHEN is_v0 THEN ARRAY['70', hex]
             ELSE regexp_match(hex, '^01((?:[89a-f][0-9a-f])*[0-7][0-9a-f])(.*)$') END;
    RETURN CASE
        WHEN parts IS NULL OR parts[2] LIKE '00%' OR parts[1] = '82e203' THEN NULL         -- inline data, a sealed sector
        WHEN parts[2] ~ '^922020.{64}$' OR parts[2] LIKE '9120%' THEN decode(right(hex, 64), 'hex')  -- a piece, v1 or v2
        ELSE decode(parts[2], 'hex')
    END;
END
$$;
COMMENT ON FUNCTION reviews.content_of IS 'What a CID commits to: a piece''s 32 bytes, a payload''s multihash. NULL of inline data and of sealed sectors.';

ALTER TABLE reviews.inputs ADD COLUMN content bytea GENERATED ALWAYS AS (reviews.content_of(cid)) STORED;
COMMENT ON COLUMN reviews.inputs.content IS 'By which the same data is found in every spelling; generated, so that no release can leave it out.';
CREATE INDEX inputs_content ON reviews.inputs (content, review_id) WHERE content IS NOT NULL;
COMMENT ON INDEX reviews.inputs_content IS 'Which reviews name the same data.';

CREATE INDEX rounds_waiting ON reviews.rounds (opened_at, expires_at) WHERE ended_at IS NULL;
COMMENT ON INDEX reviews.rounds_waiting IS 'How long the open reviews have waited.';
CREATE INDEX rounds_ended ON reviews.rounds (ended_at) INCLUDE (outcome) WHERE ended_at IS NOT NULL;
COMMENT ON INDEX reviews.rounds_ended IS 'How rounds ended, week by week.';
