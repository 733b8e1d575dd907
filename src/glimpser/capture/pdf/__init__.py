"""Kind `pdf`: a page of a document. What draws it runs in a process of its own, for one page each."""
