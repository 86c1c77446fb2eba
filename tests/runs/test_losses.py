"""The losses of a running job, kept now and then."""

from pathlib import Path

from forensics.runs.losses import FILE, LossLog, read_losses


def test_losses_are_read_out_of_what_a_job_reports(tmp_path: Path) -> None:
    log = LossLog(tmp_path)
    log.note("classifying")
    log.note("step 1 of 2, loss 1.2500, cosine 0.300")
    log.note("step 2 of 2, loss -0.5")
    log.note("unlearning 7 of 7, loss 0.1")
    told = read_losses(tmp_path)
    assert told[0] == {"stage": "step", "of": 2, "steps": [1, 2], "loss": [1.25, -0.5]}
    assert told[1]["stage"] == "unlearning"


def test_a_fast_job_leaves_few_lines_but_always_its_last_one(tmp_path: Path) -> None:
    log = LossLog(tmp_path)
    for step in range(1, 501):
        log.note(f"step {step} of 500, loss {1 / step:.4f}")
    (told,) = read_losses(tmp_path)
    assert len(told["steps"]) < 100
    assert told["steps"][-1] == 500


def test_a_step_that_was_done_again_is_there_once_and_damage_is_passed_over(tmp_path: Path) -> None:
    lines = ['{"stage": "step", "step": 5, "of": 9, "loss": 1.0}', "{", '{"stage": "step"}',
             '{"stage": "step", "step": 5, "of": 9, "loss": 0.5}']  # fmt: skip
    (tmp_path / FILE).write_text("\n".join(lines) + "\n")
    assert read_losses(tmp_path) == [{"stage": "step", "of": 9, "steps": [5], "loss": [0.5]}]
    assert read_losses(tmp_path / "nowhere") == []
