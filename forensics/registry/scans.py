"""The methods that look for evidence."""

from forensics.registry.spec import MethodSpec

SCANS = (
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
)
