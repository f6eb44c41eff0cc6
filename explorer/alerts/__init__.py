"""Alerts: an outbox in the database, and the loop that delivers it by Standard Webhooks, chat and mail.

enqueue, in the transaction of the fact ─► outbox ─► lease ─► sign ─► guarded POST ─► plan (pure) ─► settle
"""
