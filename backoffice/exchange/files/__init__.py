"""CSV and XLSX files that people upload: read within bounds, or refused with a sentence that says why."""
