"""Messages outlive the worker that had them: they come back when it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from dramatiq import Actor

from workers.broker import WorkerThreads, make_broker

# Takes a message, says so, and never finishes it.
_STUCK = """
import sys, time
from dramatiq import Actor
from workers.broker import WorkerThreads, make_broker

def work(name):
    print("taken", flush=True)
    time.sleep(600)

broker = make_broker(sys.argv[1])
Actor(work, broker=broker, actor_name="work", queue_name="work", priority=0, options={})
WorkerThreads(broker, 1).start()
time.sleep(600)
"""


def test_messages_are_carried_out(redis_url: str) -> None:
    broker = make_broker(redis_url)
    heard: list[str] = []
    done = threading.Event()

    def work(name: str) -> None:
        heard.append(name)
        if len(heard) == 20:
            done.set()

    actor = Actor(work, broker=broker, actor_name="work", queue_name="work", priority=0, options={})
    workers = WorkerThreads(broker, 4)
    workers.start()
    for number in range(20):
        actor.send(f"message {number}")
    assert done.wait(30)
    workers.stop()
    broker.close()
    assert sorted(heard) == sorted(f"message {number}" for number in range(20))


@pytest.mark.long
def test_the_message_of_a_killed_worker_comes_back(redis_url: str) -> None:
    broker = make_broker(redis_url)
    done = threading.Event()

    def work(name: str) -> None:
        done.set()

    actor = Actor(work, broker=broker, actor_name="work", queue_name="work", priority=0, options={})
    stuck = subprocess.Popen(
        [sys.executable, "-c", _STUCK, redis_url], stdout=subprocess.PIPE, text=True
    )
    assert stuck.stdout is not None
    with stuck.stdout as output:
        actor.send("precious")
        assert output.readline() == "taken\n"
    os.kill(stuck.pid, signal.SIGKILL)
    stuck.wait()
    workers = WorkerThreads(broker, 1)
    workers.start()
    assert done.wait(60)
    workers.stop()
    broker.close()
