"""Why a sample is in the queue: one sentence made from what the channels measured of it."""

import numpy as np

from forensics.triage.channels import Channel
from forensics.triage.findings import Findings


def reason_sentence(found: Findings, row: int) -> str:
    """Return one sentence about a sample.

    It names every channel that flags it with what this one measured; of a sample that none flags,
    the channel on which it lies highest.
    """
    seen = [i for i in range(len(found.channels)) if found.place[i, row] >= 0]
    if not seen:
        return "No finished run looked at this sample."
    flagging = [i for i in seen if found.flagged[i, row]]
    asked = sum(not found.channels[i].ranks_only for i in seen)
    if flagging:
        head = f"Flagged by {len(flagging)} of {asked} {_checks(asked)}"
        return f"{head}: {_told(found, flagging, row)}."
    scored = [i for i in seen if np.isfinite(found.share[i, row])]
    head = f"None of {asked} {_checks(asked)} flags it" if asked else "Nothing here flags samples"
    if not scored:
        return f"{head}, and it has no score."
    highest = max(scored, key=lambda i: (found.share[i, row], -i))
    above = 100 * float(found.share[highest, row])
    return (
        f"{head}; it stands out most by {_told(found, [highest], row)}, more suspicious than "
        f"{above:.0f} % of the others."
    )


def channel_reason(channel: Channel, place: int) -> str:
    """Return what one channel measured of a sample; never empty."""
    return channel.reason(place) or "no words for it"


def _told(found: Findings, chosen: list[int], row: int) -> str:
    parts = []
    for i in chosen:
        channel = found.channels[i]
        name = channel.title[0].lower() + channel.title[1:]
        parts.append(f"{name} ({channel_reason(channel, int(found.place[i, row]))})")
    return "; ".join(parts)


def _checks(count: int) -> str:
    return "check" if count == 1 else "checks"
