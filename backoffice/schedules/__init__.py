"""Schedule: staff set up periodic and later work; each due time is fired once, and no bad row stops another.

Read in this order: `models` (options, state and firings beside beat's own tables), `rules/` (what may be said:
`timing` and `verify` first), `beat/` (`scheduler`, `timetable`, `fire`, `publish`), `scheduled` (what a firing
starts), `owner` and `access` (whose it is), `enabling` (on and off), `form/`, `pages/`; `later` is a run for one due
time.

Doors for the other wings: `pages.later_action.later_action`, `rules.permitted` (marks a task as schedulable),
`rules.timing`, `enabling`, `pages.status`, `seed.seed`.
"""
