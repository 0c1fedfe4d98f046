"""Look: what runs, what failed, what comes next, is all well, who did what. It looks at the wings, and none at it.

Read in this order: `home/` (the first page), `health/` (checks, for the page and for `doctor`), `failures/`, `audit/`
(evidence, timeline, retention), `people/` (sign-in, powers, throttling), `admin/` (the lists of results, activity,
people, retention), `parts/` (what several of these pages are made of).

Doors for those above: `health.thorough` for `doctor`, `theme` and `navigation` for the settings.
"""
