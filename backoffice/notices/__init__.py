"""Tell: a person hears that a run of theirs has ended, or that a schedule of theirs was turned off.

Read in this order: `models` (a notice, and what a person wants to hear), `writing` (who is told what), `wording`,
`mail`, `tasks` (what the outbox calls), `pages/` (bell, list, choice, and the link that ends the mails).

Bell and mail each stand for themselves: the notice is the bell's, exactly once; its mail is sent at least once, with
one Message-ID.
"""
