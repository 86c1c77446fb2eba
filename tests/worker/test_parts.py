import gc
import threading
import time
import weakref

import pytest

from forensics.runs import State
from forensics.worker.models import ModelCache
from forensics.worker.perform import perform
from forensics.worker.server import Worker
from forensics.worker.table import load_table
from forensics.worker.turn import Turn


class Toy:
    def __init__(self, uri):
        self.uri = uri
        self.steps = 1


def wait(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_model_is_loaded_once_and_let_go_before_the_next(monkeypatch):
    alive = weakref.WeakSet()

    def load(uri):
        assert not list(alive), "the old model must be gone before a new one is loaded"
        model = Toy(uri)
        alive.add(model)
        return model

    cache = ModelCache(load)
    assert cache.get("a") is cache.get("a")
    assert cache.loaded == "a"
    assert cache.get("b").uri == "b"
    cache.release()
    assert cache.loaded is None and not list(alive)


def test_cancelling_a_run_lets_go_of_the_model(case):
    made = []

    def load(uri):
        model = Toy(uri)
        made.append(weakref.ref(model))
        return model

    models = ModelCache(load)
    worker = Worker(case, load_table("tests.worker.toy_jobs"), models, idle=60)
    thread = threading.Thread(target=worker.serve)
    thread.start()
    try:
        run = case.new_run("hold", {}, worker=True)
        wait(lambda: run.status().done > 5)
        assert made[0]() is not None
        run.request_cancel()
        wait(lambda: run.status().state is State.CANCELLED and models.loaded is None)
        gc.collect()
        wait(lambda: made[0]() is None)
    finally:
        worker.stop.set()
        thread.join()


def test_the_command_line_can_do_a_run_itself_and_no_worker_takes_it(case):
    table = load_table("tests.worker.toy_jobs")
    run = case.new_run("scan", {"rows": 8})
    worker = Worker(case, table, ModelCache(Toy), idle=0.0)
    assert worker.serve()  # nothing to do for it
    assert run.status().state is State.QUEUED
    assert perform(case, run, ModelCache(Toy), table=table) == {"n": 8}


def test_turns_are_given_in_the_order_of_asking():
    turn, order = Turn(), []

    def take(name):
        with turn.held():
            order.append(name)

    turn.acquire()
    threads = []
    for name in "abc":
        threads.append(threading.Thread(target=take, args=(name,)))
        threads[-1].start()
        wait(lambda: len(turn._queue) == len(threads) + 1)
    turn.give_way()
    assert order == ["a", "b", "c"]
    turn.release()
    for thread in threads:
        thread.join()


def test_giving_way_costs_nothing_when_nobody_waits_and_a_late_asker_gives_up():
    turn = Turn()
    turn.acquire()
    turn.give_way()
    assert turn.acquire(timeout=0.01) is False
    turn.release()
    assert turn.acquire(timeout=1.0) is True


def test_a_queued_run_from_another_machine_is_not_started_by_itself(case):
    from dataclasses import replace

    run = case.new_run("scan", {}, worker=True)
    run.write_status(replace(run.status(), host="elsewhere", queued=1.0))
    worker = Worker(case, load_table("tests.worker.toy_jobs"), ModelCache(Toy), idle=0.0)
    worker.serve()
    assert run.status().state is State.INTERRUPTED


@pytest.mark.parametrize("uri", ["hf:org/name", "/nowhere"])
def test_releasing_an_empty_cache_is_harmless(uri):
    cache = ModelCache(Toy)
    cache.release()
    assert cache.get(uri).uri == uri
