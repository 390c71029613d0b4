"""Reading the project's own files, for the rules of the house."""

import ast
from collections.abc import Iterator
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
ADMIN_APP = PROJECT_ROOT / "admin_app"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(folder: Path) -> list[Path]:
    """Every Python file of ours below `folder`."""
    ours = [PROJECT_ROOT / name for name in ("admin_app", "tests", "alembic")]
    files = (file for root in ours for file in root.rglob("*.py"))
    return sorted(file for file in files if file.is_relative_to(folder))


def name_of(file: Path) -> str:
    """The path as a reader would write it."""
    return str(file.relative_to(PROJECT_ROOT))


def length_of(file: Path) -> int:
    """Lines in the file."""
    return len(file.read_text().splitlines())


def functions_in(file: Path) -> Iterator[Function]:
    """Every function and method in the file, nested ones too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, Function):
            yield node


def method_calls(file: Path, *names: str) -> list[int]:
    """The lines on which a method of one of these names is called."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in names]
