"""App definitions of other systems: Graph's win32LobApp and packagefactory, in and out."""
