"""Starts a Python site and keeps to what its files and settings say.

It makes what the files ask for (see environment), runs the server on the pod's
loopback, and starts it anew when tmp/restart.txt is touched or the site's
settings change. When the server ends by itself, so does the container: Kubernetes
starts it again and tells why. Without an application a page says what is missing.
"""

import json
import os
import shlex
import sys
import time
import urllib.parse
from pathlib import Path

import application
import environment
import processes
import report

ETC = Path(os.environ.get("KUBEPANEL_ETC", "/etc/kubepanel"))
CONFIG = ETC / "app" / "runtime.json"
CUSTOM = ETC / "app" / "server.conf"
HERE = Path(__file__).resolve().parent
TMP = Path(os.environ.get("TMPDIR", "/tmp"))

# How often the files are looked at, in seconds. An upload is over when two looks
# in a row see the same.
LOOK = float(os.environ.get("KUBEPANEL_LOOK", "2"))

# How often a server that was just started is asked whether it answers, in seconds.
SOON = 0.2

# A server that ends this soon, in seconds, never came up: its application is asked why.
YOUNG = 30

# How many files of an upload are looked at; more change nothing about when it is over.
MANY = 20000


def configured():
    return CONFIG.read_bytes(), CUSTOM.read_bytes() if CUSTOM.exists() else b""


class Fault(Exception):
    """What only a person can mend; the text says what."""


class Site:
    """What the operator and the customer say about the site, as read at one moment."""

    def __init__(self):
        self.read = configured()
        config = json.loads(self.read[0])
        self.config, self.settings = config, config["settings"]
        self.root, self.state = Path(config["root"]), Path(config["state"])
        self.app = application.find(self.root, self.settings.get("app", ""), self.settings.get("interface", "auto"))

    def env(self):
        env = {**os.environ, "KUBEPANEL_DOMAIN": self.config["domain"], "KUBEPANEL_WAITS": self.waits()}
        env |= {"PORT": str(self.config["port"]), "TZ": self.config["timezone"]}
        folder = self.config.get("database")
        if folder and "DATABASE_URL" not in env:
            secret = {name: (Path(folder) / name).read_text().strip() for name in ("host", "port", "database", "username", "password")}
            quoted = {name: urllib.parse.quote(value, safe="") for name, value in secret.items()}
            env["DATABASE_URL"] = "mysql://{username}:{password}@{host}:{port}/{database}".format(**quoted)
        return env

    def waits(self):
        name = self.settings.get("app", "")
        if name:
            return f"The setting app names {name}, and there is no such module in {self.root}."
        modules = ", ".join(m + ".py" for m in application.MODULES)
        return f"Looked for in {self.root}: {modules}, or a Django project with manage.py, with a callable named application or app."

    def prepare(self, children):
        """Makes all that the application needs before it can be started."""
        self.root.mkdir(parents=True, exist_ok=True)  # it may not be there yet on a new volume
        os.chdir(self.root)
        try:
            made = environment.make(self.root, self.state, self.env(), children)
        except (environment.Failed, OSError) as err:
            raise Fault(str(err)) from err
        # An empty site has nothing to prepare, and must come up to say so.
        for line in self.settings.get("prepare", "").splitlines() if self.app else []:
            try:
                words = shlex.split(line)
            except ValueError as err:
                raise Fault(f"the setting prepare has a line that can't be read: {line}: {err}") from err
            if words and (code := children.run([made.python, *words], made.variables(self.env()))):
                raise Fault(f"the setting prepare: python {line} ended with {code}")
        return made

    def command(self, made):
        """Returns the server's command line and environment."""
        app, folder = self.app, self.root
        if not app:
            app, folder = application.Application("welcome", "application", "wsgi"), HERE
        env = {**made.variables(self.env()), "KUBEPANEL_INTERFACE": app.interface}
        address = f"127.0.0.1:{self.config['port']}"
        if self.config["proxyMode"] != "uwsgi":
            return [made.python, "-m", "gunicorn", "--config", str(HERE / "gunicorn.conf.py"), "--bind", address, "--chdir", str(folder), str(app)], env
        if app.interface == "asgi":
            raise Fault(f"{app} speaks ASGI, which uWSGI does not: set spec.workload.proxyMode to http")
        return self.uwsgi(made, app, folder, address), env

    def uwsgi(self, made, app, folder, address):
        settings = self.settings
        argv = [
            "uwsgi", "--plugin", "python3", "--master", "--die-on-term", "--need-app", "--single-interpreter",
            "--enable-threads", "--disable-logging", "--processes", str(settings.get("workers", 1)), "--threads", str(settings.get("threads", 4)),
            "--harakiri", str(settings.get("timeout", 60)), "--socket", address, "--buffer-size", "16384",
            "--chdir", str(folder), "--pythonpath", str(folder), "--module", str(app),
        ]
        if made.folder:
            argv += ["--virtualenv", str(made.folder)]
        if CUSTOM.exists():
            custom = TMP / "uwsgi.ini"
            custom.write_text("[uwsgi]\n" + CUSTOM.read_text())
            argv += ["--ini", str(custom)]
        return argv


def asked(site):
    """Changes when somebody touches tmp/restart.txt."""
    try:
        return (site.root / "tmp" / "restart.txt").stat().st_mtime_ns
    except OSError:
        return 0


def unchanged(site, before):
    """Tells whether nobody asks for a new start, nor the operator for other settings."""
    return asked(site) == before and configured() == site.read


def listing(site):
    """Changes while an upload goes on."""
    found = []
    for folder, folders, files in os.walk(site.root):
        folders.sort()
        for name in sorted(files):
            try:
                status = os.stat(os.path.join(folder, name))
            except OSError:
                continue
            found.append((folder, name, status.st_size, status.st_mtime_ns))
        if len(found) > MANY:
            break
    return found


def arrived(site, children):
    """Tells whether an application is there now, once its upload is over."""
    if not Site().app:
        return False
    before = None
    while (now := listing(site)) != before:
        before = now
        children.wait(LOOK)
    return True


def explain(site, made, children):
    """Says why an application can't be started, in its own last words."""
    if not site.app:
        return "the server ended"
    errors = TMP / "import-errors"
    script = "import importlib, sys; sys.path.insert(0, ''); getattr(importlib.import_module(sys.argv[1]), sys.argv[2])"
    code = children.run([made.python, "-c", script, site.app.module, site.app.callable], made.variables(site.env()), str(errors))
    if code == 0:
        return f"the server of {site.app} ended"
    return f"{site.app} can't be loaded: {environment.cause(errors.read_text(errors='replace'))}"


def serve(children):
    """Keeps a server running; returns the exit code of one that ended by itself."""
    server = None
    try:
        while True:
            site = Site()
            before, told = asked(site), report.Report(site.config)
            try:
                made = site.prepare(children)
                argv, env = site.command(made)
            except Fault as fault:
                if server is None:
                    raise
                print(f"Python: {fault}. What ran before runs on.", file=sys.stderr, flush=True)
                told.refuse(str(fault))
            else:
                children.stop(server)
                print(f"Python: serving {site.app or 'a page that waits for an application'}", flush=True)
                server, born = children.spawn(argv, env), time.monotonic()
                environment.tidy(site.state, made)
            while server not in children.ended and unchanged(site, before) and (site.app or not arrived(site, children)):
                children.wait(min(LOOK, SOON) if told.accept() else LOOK)
            if server in children.ended:
                code = children.ended.pop(server)
                server = None
                if time.monotonic() - born < YOUNG:
                    raise Fault(explain(site, made, children))
                raise Fault(f"the server ended with {code}")
    finally:
        children.stop(server)


def main():
    try:
        serve(processes.Processes())
    except processes.Asked:
        return 0
    except Fault as fault:
        print(f"Python: {fault}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
