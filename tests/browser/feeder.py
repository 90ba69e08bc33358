"""A run fed by hand that goes on until it is told to end. Tests put this file into a cell."""

import itertools
import threading
import time

AGENTS = 4


def part(kind, data, ns=()):
    return {"type": kind, "ns": list(ns), "data": data}


def starts(name, number, ns=()):
    task = {"id": str(number), "name": name, "input": {}, "triggers": [], "interrupts": []}
    return part("tasks", task, ns)


def says(text, message, ns):
    chunk = {"type": "AIMessageChunk", "content": text, "id": message}
    return part("messages", (chunk, {"langgraph_node": "model"}), ns)


class Feeder:
    """Agents that take turns in talking, each in its namespace; a message has 20 words."""

    def __init__(self, view, delay=0.02):
        self.view, self.delay = view, delay
        self.flow, self.over = threading.Event(), threading.Event()
        self.still = threading.Event()
        self.thread = threading.Thread(target=self.feed, daemon=True)

    def start(self):
        self.flow.set()
        self.thread.start()

    def feed(self):
        for agent in range(AGENTS):
            self.view.process_event(starts("worker", agent))
        for word in itertools.count():
            if not self.flow.is_set():
                self.still.set()
                self.flow.wait()
                self.still.clear()
            if self.over.is_set():
                break
            agent, message = word % AGENTS, f"m{word % AGENTS}-{word // AGENTS // 20}"
            self.view.process_event(says(f"w{word} ", message, (f"worker:{agent}",)))
            time.sleep(self.delay)
        self.view.finalize()

    def hold(self):
        self.flow.clear()
        self.still.wait()

    def go_on(self):
        self.flow.set()

    def end(self):
        self.over.set()
        self.flow.set()
        self.thread.join()


def burst(view, threads=16, words=2000):
    """All agents at once, each in a thread, none of which waits for anything."""

    def talk(agent):
        view.process_event(starts("worker", agent))
        for word in range(words):
            event = says(f"w{word} ", f"m{agent}-{word // 50}", (f"worker:{agent}",))
            view.process_event(event)

    talking = [threading.Thread(target=talk, args=(agent,)) for agent in range(threads)]
    for thread in talking:
        thread.start()
    for thread in talking:
        thread.join()
    view.finalize()
