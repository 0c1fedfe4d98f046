"""The page before a run: what will happen, to how many, and what is asked. `click` is what came from the list,
`answers` the forms, `page` says when it comes and shows it; `undo` is the one before an undo."""
