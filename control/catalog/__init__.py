"""What can be deployed: packages, manifests, revisions and their policies."""
