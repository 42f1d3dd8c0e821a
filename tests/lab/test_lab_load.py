"""The real server under load and under abuse: everybody is answered, and nobody stalls another."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from descend.lab.asks import ASKS
from descend.lab.server import LONGEST_QUESTION

exceptions = pytest.importorskip(
    "websockets.exceptions", reason="the lab's server is not installed: pip install 'descend[lab]'"
)

BOWL = {"objective": "x**2 + 3*y**2", "start": [4, 3], "steps": 40, "optimizers": [{"name": "sgd", "values": {"lr": 0.3}}]}


def closed_with(client, message):
    """The code with which the server closes the socket after this message."""
    client.socket.send(message)
    with pytest.raises(exceptions.ConnectionClosed) as closed:
        client.frame()
    return closed.value.rcvd.code if closed.value.rcvd else None


def test_answers_are_the_librarys(asker):
    """Through the socket and back: the points are those of `descend.descend`."""
    import numpy as np

    import descend as ds

    frame = asker().ask("run", BOWL)
    trace = ds.descend("x**2 + 3*y**2", [4, 3], ds.sgd(lr=0.3), steps=40)
    np.testing.assert_array_equal(frame.arrays["points0"], trace.points)
    assert frame.data["runs"][0]["message"] == trace.outcome.message


def test_fifty_pages_are_all_answered(asker):
    """Fifty pages ask at the same time, each several times, with starts of its own; each gets its own answers."""
    pages = [asker() for _ in range(50)]
    got: list[list[float]] = [[] for _ in pages]

    def drag(k):
        for step in range(6):
            frame = pages[k].ask("run", {**BOWL, "start": [k, step]})
            got[k].append(frame.arrays["points0"][0].tolist())

    threads = [threading.Thread(target=drag, args=(k,)) for k in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == [[[k, step] for step in range(6)] for k in range(50)]


def by_hand(lab):
    """A WebSocket as bare bytes, which nobody reads."""
    name, port = lab.netloc.rsplit(":", 1)
    bare = socket.create_connection((name, int(port)))
    lines = ["GET /socket HTTP/1.1", f"Host: {lab.netloc}", f"Origin: {lab.address}", "Connection: Upgrade"]
    lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    bare.sendall("\r\n".join([*lines, "", ""]).encode())
    assert bare.recv(12).endswith(b"101")
    return bare


def framed(text):
    """A text message of 126 to 65535 bytes, masked with zeros."""
    return bytes([0x81, 0x80 | 126]) + struct.pack(">H", len(text)) + bytes(4) + text


def test_a_page_that_never_reads_stalls_nobody(asker, lab):
    """It asks and asks without reading an answer: the server stops taking its questions, and answers the others."""
    other, before = asker(), settled(lab)
    bare = by_hand(lab)
    bare.settimeout(1.5)
    told = {"channel": "c", "ask": "nothing", "params": {"padding": "x" * 400}}
    with pytest.raises(TimeoutError):
        shout(bare, framed(json.dumps(told).encode()), 100_000)
    for k in range(20):
        assert other.ask("run", {**BOWL, "start": [k, 1]}).arrays["points0"][0].tolist() == [k, 1]
    grown = memory(lab) - before
    bare.close()
    assert other.ask("run", BOWL).data["last"]
    assert grown < 20


def shout(bare, message, times):
    """Send a message again and again, until the other side takes no more."""
    for _ in range(times):
        bare.sendall(message)


def memory(lab):
    """Megabytes the server holds; 0 where the system does not say."""
    status = Path(f"/proc/{lab.process.pid}/status")
    if not status.exists():
        return 0
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS")) / 1024


def settled(lab):
    """Its memory once it has compiled what it compiles at the start."""
    latest, now = -1.0, memory(lab)
    for _ in range(60):
        if abs(now - latest) < 0.5:
            break
        time.sleep(0.5)
        latest, now = now, memory(lab)
    return now


def test_what_is_no_question_closes_that_page_only(asker, lab):
    other = asker()
    assert closed_with(asker(), "x" * (LONGEST_QUESTION + 1)) == 1009
    assert closed_with(asker(), b"binary") == 1003
    assert other.ask("run", BOWL).data["last"]
    assert lab.process.poll() is None


def test_bytes_that_are_no_text_close_that_page_only(asker, lab):
    """A text message that is not UTF-8, sent by hand: clients refuse to."""
    other, bare = asker(), by_hand(lab)
    bare.sendall(bytes([0x81, 0x80 | 2, 0, 0, 0, 0, 0xFF, 0xFE]))
    bare.settimeout(20)
    rest = b"".join(iter(lambda: bare.recv(65536), b""))
    assert rest[-4:-2] == bytes([0x88, 0x02])
    assert struct.unpack(">H", rest[-2:])[0] == 1007
    bare.close()
    assert other.ask("run", BOWL).data["last"]


def test_the_longest_question_is_answered(asker):
    text = json.dumps({"id": 1, "channel": "c", "ask": "run", "params": {"objective": ""}})
    client = asker()
    client.socket.send(text.replace('""', '"' + "x" * (LONGEST_QUESTION - len(text)) + '"'))
    assert "characters" in client.frame().data["error"]


def test_a_vanished_page_leaves_nothing_behind(asker, lab):
    """Sockets cut without a word, in the middle of a question, a hundred times."""
    question = framed(json.dumps({"ask": "run", "params": {**BOWL, "seed": 10**100}}).encode())
    for _ in range(100):
        bare = by_hand(lab)
        bare.sendall(question)
        bare.close()
    assert asker().ask("run", BOWL).data["last"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = ["objective", "start", "optimizers", "steps", "seed", "noise", "box", "tol_grad", "tol_loss", "k", "values", "name"]
TEXTS = st.sampled_from(
    ["x**2", "rosenbrock", "x^y", "1/x", "sqrt(x)", "log(x)+y", "sgd", "adam", "cosine(0.1, 10)", "x" * 500]
)
VALUE = JSON | TEXTS | st.lists(st.floats(-1e3, 1e3), max_size=3) | st.sampled_from([1e308, -1e308, 5e-324, 2**70, -1])
PARAMS = st.dictionaries(st.sampled_from(KEYS), VALUE, max_size=6) | JSON
NEARLY = st.fixed_dictionaries(
    {"ask": st.sampled_from(sorted(ASKS)) | st.text(max_size=8), "params": PARAMS},
    optional={"id": st.integers() | JSON, "channel": st.text(max_size=50) | JSON},
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(question=NEARLY | JSON)
def test_any_json_gets_exactly_one_last_answer(asker, question):
    """Whatever is asked, one frame ends the answer, and the next question is answered too. Nothing fails inside."""
    client = _client_of(asker)
    client.socket.send(json.dumps(question))
    while not (frame := client.frame()).data["last"]:
        pass
    assert "went wrong inside" not in str(frame.data.get("error"))
    number = client.put("run", BOWL, "after")
    assert client.frame().data["id"] == number


_clients: dict[int, object] = {}


def _client_of(asker):
    return _clients.setdefault(id(asker), asker())
