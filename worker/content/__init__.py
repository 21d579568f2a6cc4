"""Encrypted content on its way: key, download, folders."""
