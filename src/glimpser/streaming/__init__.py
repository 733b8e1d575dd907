"""Carries live video to viewers: one producer, many readers, none of whom can hold up another."""
