"""`make demo`: the whole product at work on five organizations, and attempts to break it.

Nothing here is staged: three real processes, real databases, real refusals. What does not come out
as expected raises `UnexpectedError` and ends the demo with exit status 1.
"""
