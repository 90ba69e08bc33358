"""The text tree: the whole run for a person, a terminal, a diff and nbval. Deterministic."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nestling.records import Namespace, Record

WIDTH = 100
_LABEL = WIDTH - len(" [interrupted]")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: Characters that reorder a line on the screen, so that it reads as something else.
_BIDI = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(slots=True)
class Branch:
    """A record or a box with what hangs beneath it."""

    item: Record | Namespace
    children: list[Branch] = field(default_factory=list)

    @property
    def is_box(self) -> bool:
        return "key" in self.item


def outline(namespaces: Mapping[str, Namespace], rows: Iterable[Record]) -> Branch:
    """Records and boxes as a tree: siblings by `(order, seq)`, boxes beneath their calls."""
    boxes = {key: Branch(box) for key, box in namespaces.items()}
    branches: dict[str, Branch] = {}
    for record in rows:
        branch = branches[record["id"]] = Branch(record)
        maker = branches.get(record.get("created_by", ""))  # an artifact stands with its call
        (maker or boxes["|".join(record["namespace"])]).children.append(branch)
    for box in namespaces.values():
        parent = box["parent"]
        if parent is None:
            continue
        caller = branches.get(box["spawned_by"] or "")
        (caller or boxes[parent]).children.append(boxes[box["key"]])
    for branch in (*boxes.values(), *branches.values()):
        branch.children.sort(key=lambda child: (child.item["order"], child.item["seq"]))
    return boxes[""]


def tree(
    namespaces: Mapping[str, Namespace], rows: Iterable[Record], status: str, left_out: int = 0
) -> str:
    """The text of a run; `rows` in order of `seq`, of which `left_out` older ones are not there."""
    rows = list(rows)
    root = outline(namespaces, rows)
    lines = [f"{label_of(namespaces[''])} [{status}]"]
    if left_out:
        lines.append(f"│  {not_here(left_out)}")
    lines += _draw(root, "")
    made = summary(root)
    if made:
        lines.append(made)
    return "\n".join(lines)


def not_here(count: int) -> str:
    """What stands in place of older records."""
    return f"{count:,} older {'entry is' if count == 1 else 'entries are'} left out"


def last(
    namespaces: Mapping[str, Namespace], rows: list[Record], limit: int
) -> tuple[Mapping[str, Namespace], list[Record]]:
    """The last records, with the boxes that they stand in."""
    if len(rows) <= limit:
        return namespaces, rows
    rows = rows[-limit:]
    wanted = {""}
    for record in rows:
        segments = record["namespace"]
        wanted |= {"|".join(segments[:depth]) for depth in range(1, len(segments) + 1)}
    return {key: box for key, box in namespaces.items() if key in wanted}, rows


def records(branch: Branch) -> Iterator[Record]:
    """The records of a run in the order of its tree."""
    for child in branch.children:
        if not child.is_box:
            yield child.item  # type: ignore[misc]  # is_box told it
        yield from records(child)


def artifacts(branch: Branch) -> Iterator[Record]:
    """The artifacts of a run in the order of its tree."""
    return (record for record in records(branch) if record["type"] == "artifact")


def summary(root: Branch) -> str | None:
    """`2 artifacts: Analysis Report, Visualization Suite`."""
    titles = [record["title"] for record in artifacts(root)]
    noun = "artifact" if len(titles) == 1 else "artifacts"
    return clean(f"{len(titles)} {noun}: {', '.join(titles)}") if titles else None


def line(record: Record) -> str | None:
    """One record as one line, None when it shows nothing of its own."""
    full = _line(record)
    if full is None:
        return None
    return _cut(clean(full), WIDTH)


def label_of(box: Namespace) -> str:
    """What a box is called, with room for its status behind it."""
    return _cut(clean(box["label"]), _LABEL)


def _cut(flat: str, width: int) -> str:
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def clean(value: str) -> str:
    """`value` on one line, without characters that steer a terminal."""
    flat = " ".join(_CONTROL.sub("", " ".join(value.split())).split())
    return _BIDI.sub(lambda found: f"U+{ord(found.group()):04X}", flat)


def _draw(branch: Branch, indent: str) -> Iterator[str]:
    shown = [(child, _title(child)) for child in branch.children]
    visible = [(child, title) for child, title in shown if title is not None]
    for number, (child, title) in enumerate(visible, 1):
        last = number == len(visible)
        yield f"{indent}{'└─ ' if last else '├─ '}{title}"
        yield from _draw(child, indent + ("   " if last else "│  "))


def _title(branch: Branch) -> str | None:
    if branch.is_box:
        box: Namespace = branch.item  # type: ignore[assignment]  # is_box told it
        return f"{label_of(box)} [{box['status']}]"
    return line(branch.item)  # type: ignore[arg-type]  # is_box told it


def _line(record: Record) -> str | None:
    kind, content = record["type"], record["content"]
    if kind in ("user", "ai", "system"):
        return f"{record['speaker']}: {content}" if content.strip() else None
    if kind == "tool_call":
        return _call(record)
    if kind == "interrupt":
        return f"? {content}"
    if kind == "error":
        return f"! {content}"
    if kind == "update":
        keys = ", ".join(record.get("data") or ())
        return f"· {record['speaker']}: {keys}" if keys else f"· {record['speaker']}"
    if kind == "custom":
        return f"· {content}"
    return None


def _call(record: Record) -> str:
    if "args" in record:
        args = json.dumps(record["args"], sort_keys=True, ensure_ascii=False)
    else:
        args = record.get("args_text", "")
    result = record["content"] or record.get("error") or ""
    arrow = f" -> {result}" if result else ""
    return f"{record.get('name', '')}({args}) [{record['status']}]{arrow}"
