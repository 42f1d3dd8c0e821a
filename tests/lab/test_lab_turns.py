"""Turns: one at a time, everybody in turn; and a long map that keeps nobody else's from starting."""

from __future__ import annotations

import json
import queue
import threading
import time

import pytest

from descend.lab import maps
from descend.lab.asks import ASKS
from descend.lab.desk import Desk
from descend.lab.frames import Frame, unpack
from descend.lab.turns import Turns

PATIENCE = 60


def in_line(turns, count):
    """Wait until so many wait for their turn."""
    end = time.monotonic() + PATIENCE
    while len(turns._line) < count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_one_works_at_a_time_and_each_in_turn():
    """Three threads with four pieces of work each, all in line before the first begins: the pieces alternate."""
    turns, done, working = Turns(), [], []
    turns.take()  # held until all wait

    def work(name):
        turns.take()
        for k in range(4):
            working.append(name)
            assert working == [name]
            done.append((k, name))
            working.remove(name)
            if k < 3:
                turns.pass_on()
        turns.leave()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for count, thread in enumerate(threads, 1):
        thread.start()
        in_line(turns, count)
    turns.leave()
    for thread in threads:
        thread.join(PATIENCE)
    assert done == [(k, name) for k in range(4) for name in "abc"]
    turns.take()  # free again
    turns.leave()


def test_whoever_waits_when_it_is_closed_may_go():
    turns = Turns()
    turns.take()
    waiting = threading.Thread(target=turns.take)
    waiting.start()
    in_line(turns, 1)
    turns.close()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
    turns.pass_on()
    turns.take()


@pytest.mark.parametrize("pauses", [True, False])
def test_a_long_answer_that_pauses_lets_another_page_go_first(pauses):
    """And proof that the pause is what does it: without one the other page waits to the end."""
    begun, asked, order = threading.Event(), threading.Event(), []

    def long(_params, talk):
        begun.set()
        assert asked.wait(PATIENCE)
        for _ in range(3):
            if pauses:
                talk.pause()
        order.append("long")
        return Frame({})

    def short(_params, _talk):
        order.append("short")
        return Frame({})

    desk, sent = Desk({"long": (long, False), "short": (short, False)}), queue.SimpleQueue()
    one, other = (desk.page(lambda message: sent.put(unpack(message).data)) for _ in range(2))
    one.take(json.dumps({"id": 1, "channel": "map", "ask": "long"}))
    assert begun.wait(PATIENCE)
    other.take(json.dumps({"id": 2, "channel": "map", "ask": "short"}))
    in_line(desk._turns, 1)
    asked.set()
    for _ in range(2):
        sent.get(timeout=PATIENCE)
    desk.close()
    assert order == (["short", "long"] if pauses else ["long", "short"])


def test_two_pages_maps_grow_side_by_side(monkeypatch):
    """The second is asked for when the first has begun, and sends images before the first is complete."""
    monkeypatch.setattr("descend.planes.job.CACHE", 4096)
    monkeypatch.setattr("descend.planes.compute.SHOW_EVERY", 0.0)
    monkeypatch.setattr(maps, "PAUSE", 0.0)
    maps._kept.clear()
    state = {
        "objective": "ellipse",
        "optimizer": {"name": "momentum", "values": {}},
        "steps": 50,
        "by": "rate",
        "x": {"name": "lr", "low": 0.005, "high": 0.7, "scale": "linear"},
        "y": {"name": "momentum", "low": 0.0, "high": 0.99, "scale": "linear"},
    }
    desk, heard = Desk(ASKS), queue.SimpleQueue()
    one, other = (desk.page(lambda message, name=name: heard.put((name, unpack(message).data))) for name in ("one", "other"))
    one.take(json.dumps({"id": 1, "channel": "map", "ask": "map", "params": {**state, "size": 192}}))
    order = []
    while not order or not order[-1][1].get("last"):
        order.append(heard.get(timeout=PATIENCE))
        if len(order) == 2:
            other.take(json.dumps({"id": 2, "channel": "map", "ask": "map", "params": {**state, "size": 64}}))
    one.close()
    desk._turns.take()  # when the cancelled map has left
    desk._turns.leave()
    desk.close()
    assert order[-1][0] == "other"  # the smaller one is complete first, although it was asked for later
    assert "error" not in order[-1][1]
