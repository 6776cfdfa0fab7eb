"""Files made of a register version: workbook, CSV and JSON of the inventory and of VERBİS."""
