"""Kind `yt`: live streams and recordings of video sites, which yt-dlp looks up."""
