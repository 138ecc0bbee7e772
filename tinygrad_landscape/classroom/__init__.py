"""Floor 7, the classroom: predictions that lock, exercises that answer, and the command line.

One idea: ask before showing. A learner commits to a guess, then sees the number that was
measured; writes a few lines, and is told by name which usual mistake they hold.
"""
