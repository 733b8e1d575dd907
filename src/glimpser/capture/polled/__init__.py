"""Views that give a picture at a time, or are sent one: asked, kept and scaled in the main process."""
