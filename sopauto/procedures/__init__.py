"""SOPs as data: model, loader, checker, table and flowchart."""
