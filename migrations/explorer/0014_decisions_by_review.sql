-- Every look at a review reads what notaries said of it.

CREATE INDEX decisions_review ON reviews.decisions (review_id, id);
COMMENT ON INDEX reviews.decisions_review IS 'What was said of a review, questions too, the oldest first.';
