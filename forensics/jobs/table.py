"""Names of jobs and live requests; what they name is imported when it is needed."""

from forensics.registry import methods

JOBS: dict[str, str] = {spec.name: spec.job for spec in methods().values()}

LIVE: dict[str, str] = {
    "attention": "forensics.jobs.live:attention",
    "answer": "forensics.jobs.live:answer",
    "occlusion": "forensics.jobs.occlusion:occlusion",
    "apply_trigger": "forensics.jobs.live_trigger:apply_trigger",
    "pooling-attention": "forensics.jobs.live_pooling:pooling_attention",
}
