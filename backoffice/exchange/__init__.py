"""Import and export for the list of any model.

Read `columns.resource`, which a team writes, then `columns.layout`, `comparison`, `writing` and `admin`. Teams import
`seam`.
"""
