"""The operators' side of campaigns: the wizard, results, the ledger and its audit."""
