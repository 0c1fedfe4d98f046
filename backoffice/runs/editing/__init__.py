"""What people edit in a form, in many records at once: a record task for any model.

Read `task` (what a team calls), `form` (what is asked), then `edit` (what it does to a record).
"""
