"""What may stand in a column or a cell, and how: text of any kind, arguments nobody may read, formulas."""
