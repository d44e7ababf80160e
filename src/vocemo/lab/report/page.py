"""A page that stands alone: one HTML file, light and dark, with everything in it and no need of a network.

What such pages share (colours, type, print) is in page.html.jinja, which a page's own template extends.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from vocemo.errors import MissingExtraError

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATES = "vocemo.lab"  # templates are named by their path from here on, such as report/page.html.jinja


def template(name: str, what: str) -> Template:
    """A page's template; it escapes every value, and one that it was not given is an error.

    name: its path below vocemo/lab. what: the page as people call it, for the error.
    errors: MissingExtraError without Jinja.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError(what, "lab") from error
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def write(text: str, path: str | os.PathLike[str]) -> Path:
    """Write a page, whole or not at all; gives its path back."""
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    return partial.replace(target)


def _source(name: str) -> str:
    return resources.files(_TEMPLATES).joinpath(name).read_text(encoding="utf-8")
