"""The same request sent twice is carried out once: its answer is kept under the key its sender chose."""
