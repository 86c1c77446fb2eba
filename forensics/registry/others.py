"""What trains and what measures."""

from forensics.registry.spec import MethodSpec

OTHERS = (
    MethodSpec(
        name="tune",
        kind="tune",
        title="Fine-tune the base on the case's data",
        needs="a base model and a fine-tuning set",
        gives="a tuned model (LoRA adapter or full weights) to scan",
        options="forensics.tuning.options:TuneOptions",
        job="forensics.jobs.tune:run",
    ),
    MethodSpec(
        name="evaluate",
        kind="evaluate",
        title="Measure clean accuracy and attack success rate",
        needs="a model, samples with answers, a trigger and a target",
        gives="CA and ASR with n and 95 % intervals",
        acts_on="any",
        options="forensics.jobs.evaluate_options:EvaluateOptions",
        job="forensics.jobs.evaluate:run",
    ),
)
