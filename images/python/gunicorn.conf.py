"""gunicorn's settings for a site; the site's own gunicorn.conf.py and spec.workload.customConfig win over them."""

import json
import os

_etc = os.environ.get("KUBEPANEL_ETC", "/etc/kubepanel")
with open(os.path.join(_etc, "app", "runtime.json")) as _file:
    _site = json.load(_file)
_settings = _site["settings"]

workers = _settings.get("workers", 1)
threads = _settings.get("threads", 4)
timeout = _settings.get("timeout", 60)
worker_class = "uvicorn.workers.UvicornWorker" if os.environ.get("KUBEPANEL_INTERFACE") == "asgi" else "gthread"
graceful_timeout = 8
# Heartbeats go to memory: a busy disk must not look like a stuck process.
worker_tmp_dir = "/dev/shm"
errorlog = "-"  # visitors are in nginx' log

for _own in (os.path.join(_site["root"], "gunicorn.conf.py"), os.path.join(_etc, "app", "server.conf")):
    if os.path.exists(_own):
        with open(_own) as _file:
            exec(compile(_file.read(), _own, "exec"))
