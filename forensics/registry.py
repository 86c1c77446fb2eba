"""Which methods there are, told without importing any of them.

A method is described by a :class:`MethodSpec`; code and options are named by ``module:object``
strings that are imported when a job starts. Other packages add methods through the entry-point
group ``forensics.methods``, each entry naming a :class:`MethodSpec`.
"""

import importlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Literal

from forensics.errors import InputError, NotApplicable

KINDS = {
    "multimodal-llm": "a multimodal language model",
    "clip": "a CLIP-like encoder",
    "any": "models of any kind",
}
"""What to call the kinds of models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """What a method needs and gives, for lists, help texts and the UI.

    Attributes:
        name: Name in the registry and on the command line.
        alias: Short name of the paper.
        kind: ``scan`` looks for evidence, ``transplant`` puts a suspected trigger to the test,
            ``repair`` removes a backdoor, ``tune`` and ``evaluate`` train and measure.
        title: For people.
        needs: What has to be at hand.
        gives: What comes out.
        paper: Title of the source; empty for our own tools.
        arxiv: arXiv id; empty for our own tools.
        reconstruction: True while the method is rebuilt from partial sources.
        builds_on: ``arrays`` decides from a finished attention scan where there is one and scans
            itself otherwise; ``flags`` cannot start before a scan flagged samples; ``triggers``
            cannot start before a trigger inversion.
        acts_on: Kind of model that it can examine, as in :mod:`forensics.models.kinds`; ``any``
            for one that looks at data or at arrays of either.
        options: ``module:Class`` of the options dataclass.
        job: ``module:function`` that runs it on a case.
    """

    name: str
    alias: str = ""
    kind: Literal["scan", "transplant", "repair", "tune", "evaluate"]
    title: str
    needs: str
    gives: str
    paper: str = ""
    arxiv: str = ""
    reconstruction: bool = False
    builds_on: Literal["nothing", "arrays", "flags", "triggers"] = "nothing"
    acts_on: Literal["multimodal-llm", "clip", "any"] = "multimodal-llm"
    options: str
    job: str

    def fits(self, kind: str) -> bool:
        """Tell whether the method can examine models of a kind."""
        return self.acts_on in ("any", kind)

    def check_fits(self, kind: str) -> None:
        """Refuse a kind of model that the method cannot examine.

        Raises:
            NotApplicable: It is of another kind.
        """
        if not self.fits(kind):
            raise NotApplicable(
                f"{self.name} examines {KINDS.get(self.acts_on, self.acts_on)}; "
                f"this case is about {KINDS.get(kind, kind)}.",
                remedy="forensics methods tells what each method examines.",
            )


BUILT_IN = (
    MethodSpec(
        name="attention-entropy",
        alias="bye",
        kind="scan",
        title="Attention entropy (Believe Your Eyes)",
        needs="a multimodal language model tuned on the suspicious set, and that set",
        gives="suspected samples by the published rule (root, code) and among samples that were "
        "asked the same (guarded), entropy per sample and layer, separability per layer, a verdict",
        paper="Backdoor Cleaning without External Guidance in MLLM Fine-tuning",
        arxiv="2505.16916",
        options="forensics.detectors.options.attention_entropy:AttentionEntropyOptions",
        job="forensics.jobs.attention.scan:run",
    ),
    MethodSpec(
        name="attention-allocation",
        alias="tcap",
        kind="scan",
        title="Attention allocation (TCAP)",
        needs="a finished attention scan, or a multimodal language model tuned on the suspicious "
        "set, and that set",
        gives="suspected samples, their probability, the late heads that set them apart, a verdict",
        paper="TCAP: Tri-Component Attention Profiling for Unsupervised Backdoor Detection in "
        "MLLM Fine-Tuning",
        arxiv="2601.21692",
        builds_on="arrays",
        options="forensics.detectors.options.attention_allocation:AttentionAllocationOptions",
        job="forensics.jobs.attention_allocation.job:run",
    ),
    MethodSpec(
        name="evidence-fusion",
        alias="fusion",
        kind="scan",
        title="Evidence fusion: what every measurement says together",
        needs="a finished attention scan, or a multimodal language model tuned on the suspicious "
        "set, and that set",
        gives="suspected samples of an answer out of place, what each channel says of them, what "
        "would be flagged without each, a verdict",
        builds_on="arrays",
        options="forensics.detectors.options.evidence_fusion:EvidenceFusionOptions",
        job="forensics.jobs.evidence_fusion.job:run",
    ),
    MethodSpec(
        name="masked-views",
        kind="scan",
        title="What answers depend on: masked views (reconstruction)",
        needs="a finished scan that flagged samples, and its model; better also the base model",
        gives="how answers change under masks, candidates against random controls; no verdict",
        paper="A Patch-based Cross-view Regularized Framework for Backdoor Defense in "
        "Multimodal Large Language Models",
        arxiv="2604.04488",
        reconstruction=True,
        builds_on="flags",
        options="forensics.detectors.options.masked_views:MaskedViewsOptions",
        job="forensics.jobs.masked_views.job:run",
    ),
    MethodSpec(
        name="clusters",
        kind="scan",
        title="Map and groups of samples",
        needs="a finished attention scan, or a model (language model or CLIP) and its data",
        gives="a map of all samples, groups with what their answers share, density and spectral "
        "scores; no verdict",
        builds_on="arrays",
        acts_on="any",
        options="forensics.detectors.options.clusters:ClustersOptions",
        job="forensics.jobs.clusters.job:run",
    ),
    MethodSpec(
        name="trigger-inversion",
        alias="clip-inspector",
        kind="scan",
        title="Which class is far too easy to reach: trigger inversion (reconstruction)",
        needs="a CLIP-like classifier (learnt prompts or hand-written ones) and unlabelled "
        "pictures that show something",
        gives="a reconstructed trigger of every class, its success, how far the class stands out, "
        "whether the trigger overrides content, a verdict",
        paper="CLIP-Inspector: Model-Level Backdoor Detection for Prompt-Tuned CLIP via OOD "
        "Trigger Inversion",
        arxiv="2604.09101",
        reconstruction=True,
        acts_on="clip",
        options="forensics.detectors.options.trigger_inversion:TriggerInversionOptions",
        job="forensics.jobs.trigger_inversion.job:run",
    ),
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
    MethodSpec(
        name="trigger-tuning",
        kind="repair",
        title="Trigger tuning of learnt prompts (CLIP-Inspector, reconstruction)",
        needs="a finished trigger inversion of a CLIP with learnt prompts, clean labelled pictures "
        "to tune on and others to measure on",
        gives="repaired prompts; clean accuracy and attack success before, after and in controls; "
        "a new inversion of the result",
        paper="CLIP-Inspector: Model-Level Backdoor Detection for Prompt-Tuned CLIP via OOD "
        "Trigger Inversion",
        arxiv="2604.09101",
        reconstruction=True,
        builds_on="triggers",
        acts_on="clip",
        options="forensics.repairs.options:TriggerTuningOptions",
        job="forensics.jobs.trigger_tuning.job:run",
    ),
    MethodSpec(
        name="repulsive-prompts",
        alias="rvpt",
        kind="repair",
        title="Repulsive visual prompts (RVPT)",
        needs="a CLIP with a vision transformer, a few clean labelled pictures of every class to "
        "tune on and others to measure on",
        gives="prompts for the image tower and a loader that needs nothing of this program; clean "
        "accuracy and attack success before and after",
        paper="Defending Multimodal Backdoored Models by Repulsive Visual Prompt Tuning",
        arxiv="2412.20392",
        acts_on="clip",
        options="forensics.repairs.repulsive_prompts.options:RepulsivePromptsOptions",
        job="forensics.jobs.labelled_repair.job:run_repulsive",
    ),
    MethodSpec(
        name="visual-prompts",
        alias="vpt",
        kind="repair",
        title="Plain visual prompts (baseline)",
        needs="a CLIP with a vision transformer, a few clean labelled pictures of every class to "
        "tune on and others to measure on",
        gives="prompts for the image tower, tuned without repulsion; clean accuracy and attack "
        "success before and after",
        paper="Visual Prompt Tuning",
        arxiv="2203.12119",
        acts_on="clip",
        options="forensics.repairs.repulsive_prompts.options:VisualPromptsOptions",
        job="forensics.jobs.labelled_repair.job:run_visual",
    ),
    MethodSpec(
        name="linear-probe",
        kind="repair",
        title="Linear probe (baseline)",
        needs="a CLIP, a few clean labelled pictures of every class to tune on and others to "
        "measure on",
        gives="a linear classifier on the unchanged image tower; clean accuracy and attack success "
        "before and after",
        acts_on="clip",
        options="forensics.repairs.linear_probe.options:LinearProbeOptions",
        job="forensics.jobs.labelled_repair.job:run_probe",
    ),
    MethodSpec(
        name="token-unlearning",
        alias="ubt",
        kind="repair",
        title="UBT-style token unlearning (reconstruction)",
        needs="a CLIP and the pairs that it was trained on, poisoned ones among them; better also "
        "a CLIP that was trained on other data; labelled pictures to measure on",
        gives="repaired weights; the pairs and words that carried the backdoor; clean accuracy and "
        "attack success before and after",
        paper="Unlearning Backdoor Threats: Enhancing Backdoor Defense in Multimodal Contrastive "
        "Learning via Local Token Unlearning",
        arxiv="2403.16257",
        reconstruction=True,
        acts_on="clip",
        options="forensics.repairs.token_unlearning.options:TokenUnlearningOptions",
        job="forensics.jobs.contrastive_repairs.unlearning:run",
    ),
    MethodSpec(
        name="fine-tuning",
        kind="repair",
        title="Fine-tuning on clean pairs (baseline)",
        needs="a CLIP, clean pairs of picture and caption, labelled pictures to measure on",
        gives="repaired weights; clean accuracy and attack success before and after",
        acts_on="clip",
        options="forensics.repairs.contrastive.options:PairTuningOptions",
        job="forensics.jobs.contrastive_repairs.job:run_fine_tuning",
    ),
    MethodSpec(
        name="clean-clip",
        alias="cleanclip",
        kind="repair",
        title="CleanCLIP (baseline)",
        needs="a CLIP, clean pairs of picture and caption, labelled pictures to measure on",
        gives="weights trained with changed views of both sides; clean accuracy and attack success "
        "before and after",
        paper="CleanCLIP: Mitigating Data Poisoning Attacks in Multimodal Contrastive Learning",
        arxiv="2303.03323",
        acts_on="clip",
        options="forensics.repairs.contrastive.options:CleanClipOptions",
        job="forensics.jobs.contrastive_repairs.job:run_clean_clip",
    ),
    MethodSpec(
        name="perturb-recover",
        alias="par",
        kind="repair",
        title="Perturb and recover (PAR, baseline)",
        needs="a CLIP, clean pairs of picture and caption, labelled pictures to measure on",
        gives="weights pushed away from what they were, up to a bound; clean accuracy and attack "
        "success before and after",
        paper="Perturb and Recover: Fine-tuning for Effective Backdoor Removal from CLIP",
        arxiv="2412.00727",
        acts_on="clip",
        options="forensics.repairs.contrastive.options:PerturbRecoverOptions",
        job="forensics.jobs.contrastive_repairs.job:run_perturb_recover",
    ),
    MethodSpec(
        name="discard-tune",
        kind="repair",
        title="Start over on the benign half (baseline)",
        needs="a CLIP that was trained on other data, the pairs that the suspicious one was "
        "trained on, labelled pictures to measure on",
        gives="the other CLIP, tuned on the pairs that match; clean accuracy and attack success",
        acts_on="clip",
        options="forensics.repairs.contrastive.options:DiscardTuneOptions",
        job="forensics.jobs.contrastive_repairs.job:run_discard",
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


@cache
def methods() -> dict[str, MethodSpec]:
    """Return every method by name, built in or added by an installed package."""
    found = {spec.name: spec for spec in BUILT_IN}
    for entry in entry_points(group="forensics.methods"):
        spec = entry.load()
        if not isinstance(spec, MethodSpec):
            raise InputError(f"Entry point {entry.name} does not name a MethodSpec.")
        if spec.name in found:
            raise InputError(f"Two methods are called {spec.name!r}.")
        found[spec.name] = spec
    return found


def find_method(name: str) -> MethodSpec:
    """Look a method up by name or alias.

    Raises:
        InputError: There is no such method.
    """
    for spec in methods().values():
        if name in (spec.name, spec.alias) and name:
            return spec
    raise InputError(
        f"There is no method {name!r}.", remedy=f"Known: {', '.join(sorted(methods()))}."
    )


def load_object(path: str) -> Any:
    """Import what a ``module:object`` string names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
