"""What several pages are made of: pages by key, cells, links, filters, read-only rows, refusals."""
