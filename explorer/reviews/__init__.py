"""Reviews: a cluster asks for DataCap, notaries decide by signature.

Read in this order: life and policies (pure: what can become of a review, and what rules say before people), requests
and documents (pure: what comes in, what goes out), rights, store and desk (the transaction of every change, and how it
is told), intake, proving, deciding, changes, reading, deadlines; digests, retold, differing (all pure) and agreeing
(whether the tables are as the audit log says); and what notaries look at: queue, dossier and its risks (pure), records.
"""
