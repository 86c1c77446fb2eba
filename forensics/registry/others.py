"""What trains, what measures, and what tests the tests."""

from forensics.registry.spec import MethodSpec

OTHERS = (
    MethodSpec(
        name="self-test",
        kind="self-test",
        title="Self-test: would a known trigger be found in this data?",
        needs="the case's data and model; for a language model better also its base; for learnt "
        "prompts labelled pictures",
        gives="how many rows with a trigger that it planted in a copy are flagged, or whether the "
        "planted class is named, and what else is",
        acts_on="any",
        options="forensics.jobs.self_test.options:SelfTestOptions",
        job="forensics.jobs.self_test.job:run",
    ),
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
        name="tune-pairs",
        kind="tune",
        title="Train the case's CLIP on the case's pairs",
        needs="a CLIP of open_clip and pairs of picture and caption",
        gives="a tuned CLIP to scan",
        acts_on="clip",
        options="forensics.tuning.options:ContrastiveOptions",
        job="forensics.jobs.tune_pairs:run",
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
