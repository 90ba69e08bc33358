import subprocess
import sys

import pytest

from nestling import demo


def python(code: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_importing_the_package_imports_no_langchain():
    code = "import sys, nestling.demo; print([m for m in sys.modules if m.startswith('lang')])"
    assert python(code) == "[]\n"


def test_names_stay_what_they_are_when_asked_twice():
    code = (
        "import nestling.demo as d; first = {n: getattr(d, n) for n in d.__all__};"
        "print(all(getattr(d, n) is first[n] and callable(first[n]) for n in d.__all__))"
    )
    assert python(code) == "True\n"


@pytest.mark.parametrize(
    ("missing", "name"), [("langchain", "research_team"), ("matplotlib", "research_team")]
)
def test_a_missing_package_names_the_pip_command(missing, name):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\nimport nestling.demo\nnestling.demo.{name}"
    )
    said = python(code).splitlines()[-1]
    assert said == f'ImportError: nestling.demo needs {missing}. Run: pip install "nestling[demo]"'


@pytest.mark.parametrize("missing", ["langgraph_cli", "langgraph_api"])
def test_without_a_server_package_serve_names_the_pip_command(missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from nestling.demo import serve\nserve(url='http://127.0.0.1:9')"
    )
    assert python(code).splitlines()[-1].endswith('Run: pip install "langgraph-cli[inmem]"')


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = demo.nothing
