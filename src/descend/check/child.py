"""The child process a user's code runs in: limits, captured output, one JSON message a line. Started by `process.Child`."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Answer requests until the pipe closes. What the user's code prints goes to another pipe than the answers."""
    answers = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")
    traces = os.fdopen(int(sys.argv[2]), "w", encoding="utf-8")
    _limit_memory(int(sys.argv[3]))
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    from descend.check.listing import public_optimizers
    from descend.check.loading import Failed

    subject: Any = None
    for line in requests:
        request = json.loads(line)
        # a little before the parent gives up, write down where the code is, and end
        faulthandler.dump_traceback_later(request["seconds"], exit=True, file=traces)
        try:
            if request["do"] == "list":
                answer: Any = {"names": public_optimizers(request["target"])}
            elif request["do"] == "open":
                from descend.check.subject import Subject

                subject = Subject(request["target"], request.get("adapter"), request.get("hyper", ()))
                answer = subject.describe() | {"path": subject.path}
            else:
                answer = {"answers": [subject.run(r) for r in request["requests"]]}
        except Failed as error:
            answer = {"failed": str(error), "line": error.line}
        faulthandler.cancel_dump_traceback_later()
        sys.stdout.flush()
        answers.write(json.dumps(answer, default=str) + "\n")
        answers.flush()


def _limit_memory(megabytes: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20, megabytes * 2**20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # not on this system: the time limit remains
        return


if __name__ == "__main__":
    main()
