"""The control plane: catalog, fleet, planning, dispatch, ingest, the HTTP API and the operator's CLI."""
