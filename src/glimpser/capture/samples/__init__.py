"""Moving pictures the program makes by itself, so that a newcomer sees a living wall within a minute."""
