"""The page of a site that has no application yet: it says what is waited for."""

import html
import os

PAGE = """<!doctype html><meta charset=utf-8><title>{domain}</title>
<body style='font:1.1rem/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem'>
<h1>{domain}</h1><p>This site has no Python application yet.</p><p>{waits}</p>
<p>Upload it by SFTP; it is started as soon as the upload is over. Later ones: touch <code>tmp/restart.txt</code>.</p>
"""


def application(environ, start_response):
    page = PAGE.format(
        domain=html.escape(os.environ.get("KUBEPANEL_DOMAIN", "")), waits=html.escape(os.environ.get("KUBEPANEL_WAITS", ""))
    ).encode()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), ("Content-Length", str(len(page)))])
    return [page]
