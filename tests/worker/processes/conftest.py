import sys

#: What Windows alone has; the tests in `tests/windows` run these there.
collect_ignore_glob = [] if sys.platform == "win32" else ["test_windows_*.py"]
