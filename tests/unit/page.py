"""A page in a few lines: what the protocol of `records.py` asks of one."""

import json


class Page:
    """What a page holds: the protocol of `records.py` in a few lines."""

    def __init__(self):
        self.epoch, self.n = None, 0
        self.rows, self.boxes, self.run, self.earlier = {}, {}, {}, 0

    def hear(self, message):
        message = json.loads(json.dumps(message, allow_nan=False))
        if message["type"] == "snapshot":
            self.epoch, self.n, self.run = message["epoch"], message["n"], message["run"]
            self.boxes, self.earlier = message["namespaces"], sum(message["earlier"].values())
            found = message["chat_history"] + message["live_chat"]
            self.rows = {record["seq"]: record for record in found}
        elif message["type"] == "missed":
            for patch in message["patches"]:
                self.hear(patch)
        elif message.get("epoch") == self.epoch and message["n"] > self.n:
            assert message["n"] == self.n + 1
            self.n = message["n"]
            self._apply(message)

    def _apply(self, patch):
        self.run = patch.get("run", self.run)
        for key, seqs in patch.get("drop", {}).items():
            for seq in seqs:
                dropped = self.rows.pop(seq, None)
                assert dropped is None or "|".join(dropped["namespace"]) == key
        for key, fields in patch.get("namespaces", {}).items():
            if fields is None:
                self.boxes.pop(key, None)
            else:
                assign(self.boxes.setdefault(key, {}), fields)
        for record in patch.get("add", ()):
            assert record["seq"] not in self.rows
            self.rows[record["seq"]] = record
        for seq, fields in patch.get("set", ()):
            assign(self.rows[seq], fields)
        for seq, text, *field in patch.get("append", ()):
            name = field[0] if field else "content"
            self.rows[seq][name] = self.rows[seq].get(name, "") + text

    def equals(self, view):
        conversation = view._conversation
        assert list(self.rows.values()) == json.loads(json.dumps(list(view.transcript)))
        boxes = json.loads(json.dumps(view.namespaces))
        assert {k: {**box, "counts": {}} for k, box in self.boxes.items()} == {
            k: {**box, "counts": {}} for k, box in boxes.items()
        }
        counts = {key: box.get("counts", {}) for key, box in self.boxes.items()}
        assert counts == {key: conversation.counts.of(key) for key in boxes}
        state = conversation.run_state()
        assert {**self.run, "now": 0} == {**state, "now": 0}
        return True


def assign(target, fields):
    for name, value in fields.items():
        if value is None and name not in ("parent", "spawned_by"):
            target.pop(name, None)
        else:
            target[name] = value


def wired(view):
    """`(page, sent)` of a view whose frames are cut by hand."""
    page, sent = Page(), []
    view._outbox.close()
    page.hear(view._outbox.snapshot())

    def send(message):
        sent.append(message)
        page.hear(message)

    view._outbox.send = send
    return page, sent


def drain(view):
    """Sends everything that is pending."""
    while view._outbox._dirty:
        view._outbox.flush()
