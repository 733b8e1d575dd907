"""What the program does, in verbs; no SQL, no HTTP, no codec."""
