"""Jobs and records: they outlive the process, and time is an argument."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dicomcore.catalogue import Again, Conflict, GiveUp, Job, Runner
from dicomcore.catalogue.jobs import Jobs, State


@pytest.fixture
def now() -> list[float]:
    return [100.0]


@pytest.fixture
def state(tmp_path: Path, now: list[float]) -> State:
    return State(str(tmp_path / "state.sqlite"), clock=lambda: now[0])


def test_a_job_is_tried_again_later_and_later(state: State, now: list[float]) -> None:
    jobs = state.jobs
    number = jobs.add("move", {"to": "A"})
    pauses = []
    while (job := jobs.take("move")) is not None:
        jobs.failed(number, "busy")
        again = jobs.get(number)
        assert again is not None
        if again.state == "failed":
            break
        assert jobs.take("move") is None
        pauses.append(again.due - now[0])
        now[0] = again.due
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560]
    assert job is not None
    assert (job.attempts, jobs.all()[0].error) == (10, "busy")
    assert jobs.retry(number)
    assert jobs.take("move") is not None
    jobs.done(number, {"sent": 3})
    assert jobs.all(state="done")[0].result == {"sent": 3}
    assert not jobs.retry(number)


def test_keys_are_not_added_twice(state: State) -> None:
    jobs = state.jobs
    first = jobs.add("commitment", {"a": 1}, key="1.2")
    assert jobs.add("commitment", {"a": 2}, key="1.2") == first
    assert jobs.add("move", {}, key="1.2") != first
    assert jobs.take("commitment") is not None
    jobs.done(first)
    assert jobs.add("commitment", {"a": 3}, key="1.2") != first
    assert len({jobs.add("move", {}) for _ in range(5)}) == 5


def test_cancelled(state: State) -> None:
    jobs = state.jobs
    waiting, running = jobs.add("move", {}), jobs.add("move", {})
    assert jobs.take("move") == jobs.get(waiting)
    assert jobs.cancel(running)
    assert jobs.cancel(waiting)
    jobs.done(waiting)  # too late
    assert {job.state for job in jobs.all()} == {"cancelled"}
    assert not jobs.cancel(waiting)
    assert jobs.take("move") is None


def test_what_ran_when_the_process_ended_is_run_again(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    first = State(path)
    number = first.jobs.add("move", {"to": "A"})
    assert first.jobs.take("move") is not None
    first.close()
    second = State(path)
    done = threading.Event()

    def work(job: Job) -> None:
        assert (job.id, job.attempts) == (number, 2)
        done.set()

    with Runner(second.jobs, {"move": work}, workers=1):
        assert done.wait(20)
    assert second.jobs.all()[0].state == "done"
    second.close()


OUTCOMES = {
    "given up": (GiveUp("never"), "failed", "never"),
    "again": (Again("some", {"left": 1}), "waiting", "some"),
    "a fault": (OSError("no route"), "waiting", "OSError: no route"),
}


@pytest.mark.parametrize(("error", "expected", "why"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_a_function_raises(state: State, error: Exception, expected: str, why: str) -> None:
    def work(job: Job) -> None:
        raise error

    state.jobs.add("move", {"left": 2})
    assert Runner(state.jobs, {"move": work}).step()
    (job,) = state.jobs.all()
    assert (job.state, job.error) == (expected, why)
    assert job.payload == {"left": 1 if isinstance(error, Again) else 2}


def test_old_jobs_leave_the_list(state: State, now: list[float]) -> None:
    jobs: Jobs = state.jobs
    jobs.cancel(jobs.add("move", {}))
    now[0] += 31 * 86_400
    jobs.add("move", {})
    assert len(jobs.all()) == 1


def test_records(state: State) -> None:
    records = state.records
    assert records.put("ups", "1.2", {"state": "SCHEDULED"}, expect=0) == 1
    with pytest.raises(Conflict, match="version 1"):
        records.put("ups", "1.2", {}, expect=0)
    assert records.put("ups", "1.2", {"state": "IN PROGRESS"}, expect=1) == 2
    with pytest.raises(Conflict, match="there is no"):
        records.put("ups", "1.3", {}, expect=4)
    for number in range(600):
        records.put("mpps", f"{number:04}", {"number": number})
    assert [one.value["number"] for one in records.all("mpps")] == list(range(600))
    found = records.get("ups", "1.2")
    assert found is not None
    assert (found.value, found.version) == ({"state": "IN PROGRESS"}, 2)
    assert records.remove("ups", "1.2")
    assert not records.remove("ups", "1.2")
    assert records.get("ups", "1.2") is None


def test_threads_take_different_jobs(state: State) -> None:
    for number in range(40):
        state.jobs.add("move", {"number": number})
    taken: list[int] = []

    def work() -> None:
        while (job := state.jobs.take("move")) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 40
