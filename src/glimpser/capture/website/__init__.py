"""Kind `website`: pictures of web pages.

`config` says what a view may ask for, `source` asks the `Browser` port for it, `walls` judges what comes.
Behind the port stands `pool`: one Chromium, started through Selenium, with a fresh context for each picture.
"""
