"""What can be seen in pictures without a model: motion, where to look for it, and its bursts.

Runs in the ingest workers: numpy, OpenCV and `glimpser.core`, nothing else.
"""
