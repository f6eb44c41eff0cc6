"""Decisions by signature: the texts that notaries and publishers sign, and whose signature is under them. Pure.

Read in this order: facts (what is signed), values and plain (how facts become lines), eip4361 (the message that
Ethereum wallets show), texts (facts to text and back), ethereum and frc0102 (the two envelopes), verify (who signed
what). keyfile keeps a terminal notary's key.
"""
