"""The schemas of both services as numbered plain SQL: a folder a service, a file a step.

* A file is named NNNN_what_it_does.sql and numbered from 0001 on without a gap.
* Forward only. What was applied is never edited: its checksum is recorded, and the program refuses to run over an
  edited file. A mistake is put right by the next file.
* A file is one transaction, so it holds no BEGIN, COMMIT or ROLLBACK, and nothing that cannot run inside of one.
* A step stays compatible with the release that is running: add now, use in the next release, remove in the one after.
* Names are written with their schema (`explorer.deals`); every table, and every column that is not obvious, has a
  COMMENT.
"""
