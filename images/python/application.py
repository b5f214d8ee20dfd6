"""Finds what a site's folder asks to be served: a WSGI or an ASGI callable.

The files are read, never run: importing them is the server's work.
"""

import ast
import dataclasses
from pathlib import Path

# Where a callable is looked for, in this order, and what it is called.
MODULES = ["wsgi", "asgi", "app", "main", "application", "passenger_wsgi"]
CALLABLES = ["application", "app"]

# What makes an ASGI application when it is called.
ASGI_MAKERS = {"FastAPI", "Starlette", "Quart", "Litestar", "get_asgi_application"}


@dataclasses.dataclass(frozen=True)
class Application:
    module: str
    callable: str
    interface: str  # wsgi or asgi

    def __str__(self):
        return f"{self.module}:{self.callable}"


def find(root, name="", interface="auto"):
    """Returns the application below root, or None while there is none.

    name is module:callable as a person set it; "" looks in the usual places.
    """
    if name:
        module, _, attribute = name.partition(":")
        path = source(root, module)
        return path and Application(module, attribute, spoken(path, attribute, interface))
    for module in candidates(root):
        path = source(root, module)
        names = bound(path) if path else {}
        for attribute in CALLABLES:
            if attribute in names:
                return Application(module, attribute, spoken(path, attribute, interface))
    return None


def candidates(root):
    yield from MODULES
    if (root / "manage.py").is_file():  # Django puts wsgi.py into the project's folder
        for kind in ("wsgi", "asgi"):
            for path in sorted(root.glob(f"*/{kind}.py")):
                yield f"{path.parent.name}.{kind}"


def source(root, module):
    """Returns the file of a module below root, or None."""
    path = Path(root, *module.split("."))
    for file in (path.with_name(path.name + ".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def spoken(path, attribute, interface):
    """Returns which interface a callable speaks, as far as its source tells."""
    if interface != "auto":
        return interface
    node = bound(path).get(attribute)
    if isinstance(node, ast.AsyncFunctionDef) or path.stem == "asgi":
        return "asgi"
    if isinstance(node, ast.Call):
        maker = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return "asgi" if maker in ASGI_MAKERS else "wsgi"
    return "wsgi"


def bound(path):
    """Returns the names that a module binds, each with what it is bound to."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):
        # The server tells what is wrong with it better than we could.
        return dict.fromkeys(CALLABLES)
    names, left = {}, list(tree.body)
    while left:
        node = left.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names[node.name] = node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name, node) for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update((target.id, node.value) for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            left += [n for field in ("body", "orelse", "finalbody") for n in getattr(node, field, [])]
    return names
