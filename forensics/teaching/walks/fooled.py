"""When the published rule is fooled: two kinds of questions in one set."""

from typing import Final

from forensics.teaching.walkthroughs import Step, Until, Walkthrough

WALK: Final = Walkthrough(
    name="fooled",
    title="When the published rule is fooled",
    demo="vlm-mixed",
    minutes=6,
    story=(
        "Half of these samples ask for a caption, half for a colour. The attention has two habits, "
        "and neither is a crime. Which rule can tell them from a trigger?"
    ),
    steps=(
        Step(
            title="Open the case",
            do="Open the demo “Captions and questions in one upload”.",
            tab="home",
            point="#tl-demo-vlm-mixed",
            question=(
                "The rule looks for two groups of entropies. What besides a trigger makes two "
                "groups?"
            ),
            answers=(
                "Two kinds of questions.",
                "Nothing.",
                "A slow computer.",
            ),
            right=0,
            because=(
                "A caption needs the whole picture, a colour needs one spot. Two tasks, two ways "
                "of looking, two groups."
            ),
            until=Until(what="opened"),
        ),
        Step(
            title="Scan it",
            do="Start the attention scan.",
            tab="case",
            point="#start-scan",
            question="One sample in ten is poisoned. How many will the published rule flag?",
            answers=(
                "About 200 of 2,000.",
                "None.",
                "Far more: about half of them.",
            ),
            right=2,
            because=(
                "It cuts between the two tasks. About 1,000 samples fall on one side, honest ones "
                "nearly all."
            ),
            until=Until(what="finished", of="attention-entropy"),
        ),
        Step(
            title="See what was flagged",
            do="Choose the rule “root” and open some flagged samples. Read their questions.",
            tab="attention",
            point="#tl-verdict",
            question="What will the flagged samples have in common?",
            answers=(
                "A patch.",
                "What they were asked.",
                "Their colour.",
            ),
            right=1,
            because=(
                "The rule has found the task, not the trigger. Looking at samples is what saves "
                "you from a false alarm."
            ),
            until=Until(what="chosen", of="sample"),
        ),
        Step(
            title="Change the rule",
            do=(
                "Click the guarded rule. It compares a sample only with others that were asked "
                "alike."
            ),
            tab="attention",
            point=".tl-rule[data-rule=guarded]",
            question="What will be left of the flags?",
            answers=(
                "About 200, with one and the same answer.",
                "All of them.",
                "None.",
            ),
            right=0,
            because=(
                "Within one question the tasks no longer differ, so what remains is the trigger. "
                "The rule also asks that one out-of-place answer goes with the low entropies."
            ),
            until=Until(what="chosen", of="rule", value="guarded"),
        ),
        Step(
            title="Try the twin",
            do=(
                "Open “Captions and questions from another customer”: the same, with nothing "
                "planted."
            ),
            tab="home",
            point="#tl-demo-vlm-mixed-clean",
            question="What will the published rule say about the honest twin?",
            answers=(
                "No evidence.",
                "It cannot be scanned.",
                "It will flag about half of it as well.",
            ),
            right=2,
            because=(
                "It raises a false alarm there too. A rule is only worth something together with "
                "its controls."
            ),
            until=Until(what="answered"),
        ),
    ),
)
