"""Where in a text another one stands: each database has its own function for it."""

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement


class TextPosition(FunctionElement[Any]):
    """Where in a text another one begins, from one; nought where it does not."""

    inherit_cache = True
    type = Integer()


@compiles(TextPosition, "postgresql")
def _strpos(element: TextPosition, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@compiles(TextPosition, "sqlite")
def _instr(element: TextPosition, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"
