"""Fixtures of real servers, for every test that asks for one."""

pytest_plugins = ["tests.support.broker", "tests.support.store", "tests.support.database"]
