"""The desk and the outbox without sockets: who is answered, when, and that everybody is."""

from __future__ import annotations

import asyncio
import json
import queue
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import DescendError
from descend.lab.bounds import DEEPEST, MOST_OPERATIONS
from descend.lab.descents import objective_of
from descend.lab.desk import CHANNELS, Desk
from descend.lab.frames import Frame, unpack
from descend.lab.outbox import FULL, OVERFULL, Outbox


class Bench:
    """A desk with asks that wait for us, and a page on it."""

    def __init__(self):
        self.go = threading.Semaphore(0)
        self.begun = queue.SimpleQueue()
        self.ran = []
        asks = {
            "echo": (lambda params, _talk: Frame({"said": params.get("say")}), True),
            "wait": (self.wait, True),
            "slow": (self.wait, False),
            "refine": (self.refine, False),
            "thread": (lambda _p, _t: Frame({"thread": threading.current_thread().name}), True),
            "slow_thread": (lambda _p, _t: Frame({"thread": threading.current_thread().name}), False),
            "wrong": (self.wrong, True),
            "broken": (lambda _p, _t: 1 / 0, True),
            "unpackable": (lambda _p, _t: Frame({}, {"x": np.array(["text"])}), True),
            "deep": (self.deep, True),
        }
        self.desk = Desk(asks)
        self.sent = queue.SimpleQueue()
        self.page = self.desk.page(lambda message: self.sent.put(unpack(message).data))

    def wait(self, params, _talk):
        self.begun.put(params.get("say"))
        assert self.go.acquire(timeout=20)
        self.ran.append(params.get("say"))
        return Frame({"said": params.get("say")})

    def refine(self, params, talk):
        for k in range(1000):
            if talk.cancelled:
                return Frame({"stopped": k})
            talk.send(Frame({"k": k, "of": params.get("say")}))
            self.begun.put(k)
            assert self.go.acquire(timeout=20)
        return Frame({"stopped": None})

    def wrong(self, _params, _talk):
        raise DescendError("a sentence")

    def deep(self, params, talk):
        return self.deep(params, talk)

    def put(self, ask, number=0, channel="c", page=None, **params):
        (page or self.page).take(json.dumps({"id": number, "channel": channel, "ask": ask, "params": params}))

    def frame(self):
        return self.sent.get(timeout=20)


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.page.close()
    made.go.release(1000)
    made.desk.close()


def test_the_newest_question_wins(bench):
    """While one runs, only the last of those that came meanwhile is answered."""
    bench.put("wait", 1, say=1)
    bench.begun.get(timeout=20)
    for k in range(2, 50):
        bench.put("wait", k, say=k)
    bench.go.release(2)
    assert [bench.frame()["id"] for _ in range(2)] == [1, 49]
    assert bench.ran == [1, 49]


def test_channels_do_not_replace_each_other(bench):
    bench.put("wait", 1, "a", say=1)
    bench.put("wait", 2, "b", say=2)
    bench.go.release(2)
    assert {bench.frame()["channel"] for _ in range(2)} == {"a", "b"}


def test_a_refining_answer_is_cancelled_by_a_newer_question(bench):
    bench.put("refine", 1, say="old")
    assert bench.frame() == {"id": 1, "channel": "c", "last": False, "k": 0, "of": "old"}
    bench.begun.get(timeout=20)
    bench.put("refine", 2, say="new")
    bench.go.release()
    assert bench.frame() == {"id": 1, "channel": "c", "last": True, "stopped": 1}
    assert bench.frame() == {"id": 2, "channel": "c", "last": False, "k": 0, "of": "new"}


def test_a_page_that_has_gone_is_forgotten(bench):
    bench.put("refine", 1)
    bench.frame()
    bench.begun.get(timeout=20)
    bench.put("echo", 2, "d")
    assert bench.frame()["channel"] == "d"
    bench.page.close()
    bench.go.release(5)
    other = bench.desk.page(lambda message: bench.sent.put(unpack(message).data))
    bench.put("slow", 7, page=other, say="next")  # runs only when the refining one has ended
    assert bench.frame() == {"id": 7, "channel": "c", "last": True, "said": "next"}
    bench.put("echo", 3)
    assert bench.sent.empty()


def test_pages_take_turns(bench):
    """Two threads are kept busy by eight pages; when a page asks again it queues behind those that wait."""
    pages = [bench.desk.page(lambda message, k=k: bench.sent.put((k, unpack(message).data["id"]))) for k in range(8)]
    for k, page in enumerate(pages):
        bench.put("wait", 0, page=page, say=(k, 0))
    order = [bench.begun.get(timeout=20) for _ in range(2)]
    for k, page in enumerate(pages):
        bench.put("wait", 1, page=page, say=(k, 1))
    for _ in range(8):
        bench.go.release()
        bench.frame()
        order.append(bench.begun.get(timeout=20))
    assert order[:2] == [[0, 0], [1, 0]]
    assert order[2:8] == [[k, 1] for k in range(2, 8)]
    assert sorted(order[8:]) == [[0, 1], [1, 1]]


@pytest.mark.parametrize("ask", ["broken", "unpackable", "deep"])
def test_an_exception_is_an_answer(bench, ask, caplog):
    """What nobody foresaw is told in the terminal; the page gets a sentence, and the channel goes on."""
    bench.put(ask, 5)
    answer = bench.frame()
    assert (answer["id"], answer["last"]) == (5, True)
    assert "terminal" in answer["error"]
    assert "Traceback" not in answer["error"]
    assert any(record.exc_info for record in caplog.records)
    bench.put("echo", 6, say="fine")
    assert bench.frame()["said"] == "fine"


def test_a_reader_that_cannot_be_reached_blocks_no_channel(caplog):
    """A notebook's connection may fail for a moment: the next question of that channel is answered."""
    gone, failed, sent = threading.Event(), threading.Semaphore(0), queue.SimpleQueue()
    gone.set()

    def send(message):
        if gone.is_set():
            failed.release()
            raise OSError("the connection is closed")
        sent.put(unpack(message).data)

    desk = Desk({"echo": (lambda params, _talk: Frame({"said": params.get("say")}), True)})
    page = desk.page(send)
    page.take('{"id": 1, "channel": "c", "ask": "echo", "params": {"say": "lost"}}')
    for _ in range(2):  # the answer, and the sentence about its failure
        assert failed.acquire(timeout=20)
    gone.clear()
    page.take('{"id": 2, "channel": "c", "ask": "echo", "params": {"say": "found"}}')
    assert sent.get(timeout=20)["said"] == "found"
    assert "could not be sent" in caplog.text
    desk.close()


def test_a_sentence_is_an_answer(bench):
    bench.put("wrong", 5)
    assert bench.frame() == {"id": 5, "channel": "c", "last": True, "error": "a sentence"}


def test_nothing_is_answered_before_the_desk_is_prepared():
    """Not even by the quick threads; and a preparation that fails does not keep everybody waiting."""
    begun, sent = threading.Event(), queue.SimpleQueue()
    asks = {"echo": (lambda _p, _t: Frame({"begun": begun.is_set()}), True)}

    def prepare():
        begun.wait(0.2)
        begun.set()
        raise ValueError("on purpose")

    desk = Desk(asks, prepare)
    page = desk.page(lambda message: sent.put(unpack(message).data))
    page.take('{"ask": "echo"}')
    assert sent.get(timeout=20)["begun"]
    desk.close()


def test_slow_asks_have_a_thread_of_their_own(bench):
    """Also when they come on a channel whose questions were quick ones until now."""
    bench.put("wait", 1)
    bench.begun.get(timeout=20)
    bench.put("slow_thread", 2)
    bench.go.release()
    bench.frame()
    assert "slow" in bench.frame()["thread"]
    bench.put("thread", 3)
    assert "slow" not in bench.frame()["thread"]


def test_a_slow_ask_does_not_keep_quick_ones_waiting(bench):
    bench.put("slow", 1, "a")
    bench.begun.get(timeout=20)
    bench.put("echo", 2, "b", say="quick")
    assert bench.frame()["said"] == "quick"


def test_busy_channels_are_bounded(bench):
    for k in range(CHANNELS):
        bench.put("wait", k, f"c{k}")
    bench.put("wait", 99, "one more")
    refused = bench.frame()
    assert (refused["id"], refused["channel"], refused["last"]) == (99, "one more", True)
    assert str(CHANNELS) in refused["error"]
    bench.go.release(CHANNELS)
    for _ in range(CHANNELS):
        assert "error" not in bench.frame()
    bench.put("echo", 100, "another", say="free again")
    assert bench.frame()["said"] == "free again"


JUNK = [
    "",
    "x",
    "{",
    "null",
    "[]",
    "3",
    '"run"',
    "[" * 5000,
    "{}",
    '{"ask": 3}',
    '{"ask": "none"}',
    '{"ask": "echo", "params": 3}',
]
JUNK += ['{"ask": "echo", "channel": 3}', '{"ask": "echo", "channel": "' + "x" * 41 + '"}', '{"ask": NaN}', "\x00", "﻿{}"]


@pytest.mark.parametrize("message", JUNK)
def test_junk_is_answered_with_a_sentence(bench, message):
    bench.page.take(message)
    answer = bench.frame()
    assert answer["last"]
    assert len(answer["error"]) < 400
    bench.put("echo", 1, say="alive")
    assert bench.frame()["said"] == "alive"


def test_a_refusal_finds_who_asked(bench):
    """Number and channel are kept wherever they can be read: nobody waits for ever."""
    bench.page.take('{"id": 9, "channel": "here", "ask": "none", "params": {}}')
    answer = bench.frame()
    assert (answer["id"], answer["channel"]) == (9, "here")
    assert "echo" in answer["error"]


# -- bounds ---------------------------------------------------------------------------------------------------------------

BOMBS = [
    "x" * 390,
    "x" + "^x" * 190,
    "/".join(["(x+1)"] * 66),
    "sin(" * 79 + "x" + ")" * 79,
    "x^2147483647",
    "x^-2147483647",
    "x^99999999999",
    "10^10^10*x",
    "x^10^10^10",
    "(" * 300 + "x",
    "√" * 390 + "x",
    "x+" * 250 + "y",
    "x" * 100_000,
    "+".join(f"x^{2**30 - 1 + k}" for k in range(28)),
    "a+b+c+d+f+g+h+i+j+k",
    "__import__('os').system('true')",
    "tests/x.py:f",
    "x\x00",
    "",
]


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:12])
def test_what_would_keep_the_compiler_busy_is_refused(text):
    with pytest.raises(DescendError) as refused:
        objective_of(text)
    assert len(str(refused.value).splitlines()[0]) < 200


@pytest.mark.parametrize(
    "text",
    [
        "(1-x)^2 + 100(y-x^2)^2",
        "x^1000 + y^2",
        "+".join(["sin(x)"] * 40),
        "x+" * 190 + "y",
        "(" * 150 + "x" + ")" * 150,
        "-20exp(-0.2√((x²+y²)/2)) - exp((cos(2pi x)+cos(2pi y))/2) + e + 20",
    ],
    ids=lambda text: text[:12],
)
def test_what_people_write_is_not(text):
    assert objective_of(text).variables


@given(st.integers(1, 2 * DEEPEST))
def test_depth_counts_what_lies_inside_each_other(n):
    """n sines inside each other are refused from DEEPEST + 1; n sines side by side are not."""
    nested, beside = "sin(" * n + "x" + ")" * n, "+".join(["sin(x)"] * n)
    assert objective_of(beside).variables == ("x",)
    if n > DEEPEST:
        with pytest.raises(DescendError, match=f"{DEEPEST} products.* has {n}"):
            objective_of(nested)
    else:
        assert objective_of(nested).variables == ("x",)


def test_operations_are_counted():
    assert objective_of("+".join(["xx"] * 100))
    with pytest.raises(DescendError, match=rf"at most {MOST_OPERATIONS} operations here; this one has 203"):
        objective_of("+".join(["xx"] * 102))


def test_the_programs_of_many_objectives_do_not_pile_up():
    """The server keeps so many compiled programs and no more, the newest; one that was let go is compiled again."""
    import descend as ds
    from descend import compiled, tracing

    before = tracing.KEPT
    try:
        tracing.keep(3)
        losses = [ds.descend(f"x**2 + {k}*y**2 + x", [1.0, 2.0], ds.sgd(lr=0.01), steps=5).loss[-1] for k in (*range(6), 0)]
        assert len(compiled._loops) <= 3
        assert len(tracing._traced) <= 3
        assert losses[0] == losses[-1]
    finally:
        tracing.keep(before)


# -- outbox ---------------------------------------------------------------------------------------------------------------


def in_a_loop(coroutine):
    """The coroutine's result, from a loop in a thread of its own: this thread may be Playwright's."""
    results = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(coroutine)))
    thread.start()
    thread.join(30)
    assert results, "it raised, or hangs"
    return results[0]


def test_answers_go_out_in_order():
    async def story():
        outbox, got = Outbox(), []

        async def send(message):
            await asyncio.sleep(0)
            got.append(message)

        writer = asyncio.create_task(outbox.deliver(send))
        for k in range(100):
            outbox.put(b"%d" % k)
            if k % 10 == 0:
                await asyncio.sleep(0.001)
        while len(got) < 100:
            await asyncio.sleep(0.001)
        writer.cancel()
        return got, outbox.unread

    assert in_a_loop(story()) == ([b"%d" % k for k in range(100)], 0)


def test_a_page_that_does_not_read_asks_no_more():
    """Above FULL no question is taken; when it reads again, questions are."""

    async def story():
        outbox, reads = Outbox(), asyncio.Event()

        async def send(_message):
            await reads.wait()

        writer = asyncio.create_task(outbox.deliver(send))
        outbox.put(bytes(FULL // 2))
        await asyncio.sleep(0.01)
        first = await asyncio.wait_for(outbox.room(), 1)
        outbox.put(bytes(FULL))
        await asyncio.sleep(0.01)
        held = asyncio.create_task(outbox.room())
        await asyncio.sleep(0.05)
        stopped = not held.done()
        reads.set()
        again = await asyncio.wait_for(held, 5)
        writer.cancel()
        return first, stopped, again

    assert in_a_loop(story()) == (True, True, True)


def test_a_page_whose_answers_pile_up_is_let_go():
    """Its memory is freed at once, and whoever waits to read its next question is told."""

    async def story():
        outbox = Outbox()

        async def send(_message):
            await asyncio.sleep(60)

        writer = asyncio.create_task(outbox.deliver(send))
        for _ in range(2 * OVERFULL // 1_000_000):
            outbox.put(bytes(1_000_000))
        await asyncio.sleep(0.01)
        room = await asyncio.wait_for(outbox.room(), 1)
        held = sum(len(m) for m in outbox._waiting)
        writer.cancel()
        return outbox.lost, room, held

    assert in_a_loop(story()) == (True, False, 0)


def test_a_page_that_reads_nothing_is_let_go():
    async def story():
        outbox = Outbox(patience=0.05)

        async def send(_message):
            await asyncio.sleep(60)

        outbox.put(b"x")
        await asyncio.wait_for(outbox.deliver(send), 10)
        return outbox.lost, await outbox.room()

    assert in_a_loop(story()) == (True, False)


def test_a_question_like_the_last_is_answered_on_the_spot(bench):
    here = threading.current_thread().name

    def asked(ask="thread", **params):
        bench.put(ask, **params)
        return bench.frame()["thread"]

    same = {"objective": "x^2", "steps": 20}
    assert asked(**same, start=[1]) != here
    assert asked(**same, start=[2]) == here
    assert asked(**same, start=[3], brief=True) == here
    assert asked(objective="x^4", steps=20, start=[3]) != here  # another formula may have to be compiled
    assert asked(objective="x^4", steps=20, start=[4]) == here
    for start in (1, 2):  # what is slow never keeps the others waiting
        assert asked("slow_thread", **same, start=[start]) != here


def test_one_that_took_its_time_is_not_answered_on_the_spot(bench):
    for _ in range(2):
        bench.put("wait", say="a")
        assert bench.begun.get(timeout=20) == "a"
        threading.Event().wait(0.01)
        bench.go.release()
        assert bench.frame()["said"] == "a"


def test_an_interrupt_on_the_spot_leaves_the_channel_free(bench):
    """A notebook's kernel is interrupted in the thread that brings the question."""

    def ask(params, _talk):
        if params.get("start"):
            raise KeyboardInterrupt
        return Frame({"said": "well"})

    page = bench.desk.also({"spot": (ask, True)}).page(lambda message: bench.sent.put(unpack(message).data))
    bench.put("spot", 1, page=page)
    assert bench.frame()["said"] == "well"
    while page._talks:  # the channel is free a moment after its answer
        pass
    with pytest.raises(KeyboardInterrupt):
        bench.put("spot", 2, page=page, start=[1])
    assert bench.frame() == {"id": 2, "channel": "c", "last": True, "error": "interrupted"}
    bench.put("spot", 3, page=page)
    assert bench.frame()["said"] == "well"


def test_what_is_kept_of_a_page_is_bounded(bench):
    for k in range(3 * CHANNELS):
        bench.put("echo", k, channel=f"c{k}")
        bench.frame()
        while bench.page._talks:
            pass
    assert len(bench.page._latest) <= CHANNELS
