"""The page that shows which test shows which row of the behaviour."""
