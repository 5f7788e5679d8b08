"""Work that takes hours: divided into segments, so that what is finished is never lost.

A job is an ordered list of segments, runs of frames, and a folder beside the output that holds
those which are finished. Where a segment ends depends on the frames alone (`division`). A plain run
paints one segment after the other, and a run that was killed is gone on with at the first one that
is missing, from what the stylizer remembered there: the result is the same, frame for frame.
"""
