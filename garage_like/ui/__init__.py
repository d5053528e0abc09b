"""The page of `garage-like ui`: runs below a folder in a browser, read as data.

Nothing of a run runs, and nothing outside the folder is read: `places` says what a name on the page
may mean, `guard` who may ask. Needs the extra `ui`.
"""
