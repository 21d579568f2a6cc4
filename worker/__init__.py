"""The device agent: phases, judgement, installation, the ledger and the agent's CLI."""
