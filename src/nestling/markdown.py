"""Markdown of a model as HTML that can do nothing: no link, no image, no class, no raw HTML."""

from __future__ import annotations

import html
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

#: A text of many tiny cells would become a hundred times as long: it is shown as it is.
_GROWTH = 15
_ALLOWANCE = 1000

# Translucent, so that they read on light and dark pages alike.
_LINE = "rgba(128,128,128,.4)"
_WASH = "background:rgba(128,128,128,.12);border-radius:4px"
_CELL = f"padding:2px 8px;border-bottom:1px solid {_LINE}"
_STYLES = {
    "p": "margin:.4em 0",
    "ul": "margin:.4em 0;padding-left:20px",
    "ol": "margin:.4em 0;padding-left:20px",
    "blockquote": f"margin:.4em 0;padding-left:10px;border-left:3px solid {_LINE}",
    "hr": f"border:0;border-top:1px solid {_LINE};margin:.6em 0",
    "table": "border-collapse:collapse;margin:.4em 0;display:block;overflow-x:auto",
    "th": f"{_CELL};font-weight:600",
    "td": _CELL,
}
_HEADING = "margin:.7em 0 .3em;font-weight:600"
_CODE = f"{_WASH};padding:1px 4px;font-family:monospace;font-size:.92em"
_BLOCK = (
    f"{_WASH};margin:.4em 0;padding:7px 10px;overflow-x:auto;white-space:pre;"
    "font-family:monospace;font-size:.92em"
)


def prose(text: str) -> str:
    """`text` as HTML; as it stands, and escaped, where that would be too long."""
    parser = _parser()
    env: dict[str, Any] = {}
    tokens = parser.parse(text, env)
    for token in tokens:
        _dress(token)
    drawn: str = parser.renderer.render(tokens, parser.options, env)
    if len(drawn) > _GROWTH * len(text) + _ALLOWANCE:
        return f"<div>{html.escape(text)}</div>"
    return f'<div style="white-space:normal">{drawn.strip()}</div>'


def _dress(token: Token) -> None:
    """Styles a block; what is foreign in it goes, its text stays."""
    if token.type.startswith("heading"):
        token.tag = "div"  # a heading would stand in the notebook's table of contents
        if token.nesting == 1:
            token.attrs = {"style": _HEADING}
    elif token.nesting != -1 and token.tag in _STYLES:
        align = str(token.attrs.pop("style", ""))
        style = _STYLES[token.tag]
        if token.tag in ("td", "th"):
            style = f"{style};{align or 'text-align:left'}"
        token.attrs["style"] = style
    if token.children:
        token.children = [part for part in token.children if part.tag != "a"]
        for part in token.children:
            if part.type == "image":
                part.type, part.tag = "text", ""
                part.content = f"[image: {part.content or 'not shown'}]"
            elif part.type == "code_inline":
                part.attrs = {"style": _CODE}


@cache
def _parser() -> MarkdownIt:
    # Needed where a run has ended, not where the package is imported.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.validateLink = _any  # type: ignore[method-assign]  # none of them is drawn
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    return parser


def _any(url: str) -> bool:
    return True


def _code(_self: object, tokens: list[Token], at: int, *_: object) -> str:
    return f'<pre style="{_BLOCK}">{html.escape(tokens[at].content.rstrip())}</pre>\n'
