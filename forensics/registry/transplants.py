"""The methods that put a suspected trigger to the test."""

from forensics.registry.spec import MethodSpec

TRANSPLANTS = (
    MethodSpec(
        name="transplant",
        kind="transplant",
        title="Does a suspected trigger work on other images?",
        needs="a finished attention scan that flagged samples, and its model; better also the base",
        gives="flip rates of the suspected patch and its controls on unsuspected images, a verdict",
        builds_on="flags",
        options="forensics.jobs.transplant.options:TransplantOptions",
        job="forensics.jobs.transplant.job:run",
    ),
    MethodSpec(
        name="trigger-transplant",
        kind="transplant",
        title="Does a reconstructed trigger work on other images?",
        needs="a finished trigger inversion of a CLIP, and pictures that show something",
        gives="how often the trigger overrides what pictures show, beside its controls and a "
        "reference classifier, a verdict",
        builds_on="triggers",
        acts_on="clip",
        options="forensics.jobs.trigger_transplant.options:TriggerTransplantOptions",
        job="forensics.jobs.trigger_transplant.job:run",
    ),
)
