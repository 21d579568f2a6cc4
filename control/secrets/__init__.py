"""Secrets for installers: kept wrapped, named by manifests, handed out sealed to one device for one job."""
