"""The methods that remove a backdoor, and their baselines."""

from forensics.registry.spec import MethodSpec, Variant

HELD_BACK = Variant(
    name="held-back",
    title="answers held back (ours)",
    words="A sample whose answer stays when cells of its picture are shuffled is hardly taught "
    "that answer. Not the published method. Where answers describe pictures it kept most of the "
    "lab’s backdoors out; where many answers are one word (yes, a colour) it kept none out, for "
    "those stay as well. Look at clean accuracy too.",
    options={
        "weight": 0.01, "share": 0.75, "fill": "shuffle", "separation": "gated",
        "gate_answers": True, "gate_width": 0.002, "gate_quantile": 0.3, "begin": 0.05,
    },
)  # fmt: skip
"""Chosen on the development seed of ``benchmarks/mllm_repairs``; see docs/language-repairs.md."""
DECIDED = Variant(
    name="decided",
    title="what people flagged",
    words="What people flagged in the Review tab is left out, and nothing else, whatever a scan "
    "says.",
    options={"flags": "decisions"},
)

REPAIRS = (
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
        name="filter-retune",
        kind="repair",
        title="Tune the base again without the flagged samples (Believe Your Eyes)",
        needs="a base model, its fine-tuning set, samples of it that a scan or people flagged, and "
        "others with true answers to measure on",
        gives="a model that never saw the flagged samples; clean accuracy and attack success "
        "before and after",
        paper="Backdoor Cleaning without External Guidance in MLLM Fine-tuning",
        arxiv="2505.16916",
        builds_on="any-flags",
        options="forensics.repairs.language_options:FilterRetuneOptions",
        job="forensics.jobs.language_repair.filter_retune:run",
        variants=(DECIDED,),
    ),
    MethodSpec(
        name="cross-view",
        kind="repair",
        title="Cross-view regularised tuning (reconstruction)",
        needs="a base model, the set that the delivered model was tuned on, and samples with true "
        "answers to measure on; no flags, no clean set",
        gives="a model tuned on all samples while two views of a picture may not lead to outputs "
        "that agree too well; clean accuracy and attack success before and after",
        paper="A Patch-based Cross-view Regularized Framework for Backdoor Defense in "
        "Multimodal Large Language Models",
        arxiv="2604.04488",
        reconstruction=True,
        options="forensics.repairs.cross_view.options:CrossViewOptions",
        job="forensics.jobs.language_repair.cross_view:run",
        variants=(HELD_BACK,),
    ),
    MethodSpec(
        name="random-drop",
        kind="repair",
        title="Tune the base again without random samples (baseline)",
        needs="a base model, its fine-tuning set, and samples with true answers to measure on",
        gives="what filtering must be better than; clean accuracy and attack success before and "
        "after",
        options="forensics.repairs.language_options:RandomDropOptions",
        job="forensics.jobs.language_repair.filter_retune:run_random_drop",
    ),
)
