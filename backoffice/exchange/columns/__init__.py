"""The columns of a file beside the fields they fill: resource, layout, and how a cell is read."""
