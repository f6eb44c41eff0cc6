"""The verdict: is this CID FIL+ at this epoch? Pure: records, coverage and an epoch in, the answer out.

Read in this order: records (what is known of one deal, claim or allocation), rules (what each says), coverage (what the
index could have missed), decide (from many records to one verdict), reason (the verdict in a sentence).
"""
