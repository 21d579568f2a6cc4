"""Answers to operators: rows read and put into the API's views."""
