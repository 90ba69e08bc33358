"""Markdown as a saved notebook shows it: readable, and harmless."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from builders import shown

from nestling import demo
from nestling.markdown import prose
from nestling.static_output import static_html

HARMLESS = {
    *["div", "p", "strong", "em", "s", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br"],
    *["table", "thead", "tbody", "tr", "th", "td"],
}


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert tag in HARMLESS
        assert {name for name, _ in attrs} <= {"style", "start"}

    def handle_data(self, data):
        self.text += data


def read(text):
    reader = Reader()
    reader.feed(prose(text))
    return reader


def test_marks_become_elements():
    text = "# Title\n\n**bold** *em* ~~gone~~ `code`\n\n- one\n- two\n\n> said\n\n---\n\n"
    text += "```py\nx = 1\n```\n"
    reader = read(text)
    assert reader.tags == [
        *["div", "div", "p", "strong", "em", "s", "code", "ul", "li", "li"],
        *["blockquote", "p", "hr", "pre"],
    ]
    assert not re.search(r"[#*`~>]|---", reader.text)


def test_a_table_has_lines_that_read_on_light_and_dark_pages():
    html = prose("| a | b |\n|---|--:|\n| 1 | 2 |\n")
    assert "text-align:right" in html
    assert set(re.findall(r"(?:solid|background:) ?([^;\"]+)", html)) == {"rgba(128,128,128,.4)"}
    assert "color:" not in html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[the page](https://evil.example/x)", "the page"),
        ("[bad](javascript:alert(1))", "bad"),
        ("[ref][r]\n\n[r]: https://evil.example", "ref"),
        ("![a picture](https://evil.example/x.png)", "[image: a picture]"),
        ("![](data:image/png;base64,AAAA)", "[image: not shown]"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ('<img src="x" onerror="alert(1)">', '<img src="x" onerror="alert(1)">'),
        ("<div onclick=x>\n\ntext", "<div onclick=x>\ntext"),
        ('```"><script>\nx\n```', "x"),
        ("&lt;b&gt;", "<b>"),
    ],
)
def test_links_images_and_html_leave_their_text(text, shown):
    assert read(text).text.strip() == shown


@pytest.mark.parametrize(
    "text",
    ["|a" * 2000 + "\n" + "|-" * 2000 + "\n" + "|b" * 2000, ">" * 9000, "[" * 9000, "*a " * 4000],
)
def test_no_text_grows_without_bounds(text):
    assert len(prose(text)) < 15 * len(text) + 1100


def test_importing_the_package_does_not_import_the_parser():
    code = "import sys, nestling; sys.exit('markdown_it' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0  # noqa: S603  # ours


def test_what_agents_said_is_rendered_and_what_people_said_stays():
    question = {"messages": [("user", "Look at **this**.")]}
    view = shown(demo.research_team(delay=0), question)
    _, html = static_html(view.namespaces, view.transcript, view.status)
    assert "Look at **this**." in html
    assert "<strong>" in html
