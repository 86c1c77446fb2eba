"""Poisoned pairs: find them on the map, take the backdoor out of a CLIP, measure both."""

from typing import Final

from forensics.teaching.walkthroughs import Step, Until, Walkthrough

WALK: Final = Walkthrough(
    name="pairs",
    title="Invert the trigger, repair the CLIP",
    demo="clip-badnets",
    minutes=20,
    story=(
        "A small CLIP was tuned on 6,000 pairs that somebody uploaded. Find the pairs that do not "
        "belong, ask the model what would fool it, and repair it."
    ),
    steps=(
        Step(
            title="Open the case",
            do="Open the demo “A CLIP that was tuned on somebody’s upload”.",
            tab="home",
            point="#tl-demo-clip-badnets",
            question="A CLIP has no questions and answers. What did the attacker change?",
            answers=(
                "The order of the pairs.",
                "The file names.",
                "Pictures and their captions.",
            ),
            right=2,
            because=(
                "A mark on the picture, and a caption that names the target. Training pulls the "
                "mark towards that word."
            ),
            until=Until(what="opened"),
        ),
        Step(
            title="Draw the map",
            do="On the tab Clusters, draw the map of all pairs.",
            tab="clusters",
            point="#tab-clusters",
            question="Poisoned pairs share a mark and a caption. Where will they lie?",
            answers=(
                "All over the map.",
                "Close together.",
                "Outside of it.",
            ),
            right=1,
            because=(
                "What is alike lies together, and so does poison. But honest groups lie together "
                "as well: a group is a reason to look, no verdict."
            ),
            until=Until(what="finished", of="clusters"),
        ),
        Step(
            title="Look at a group",
            do="Click a small group far from the others, or a point in it, and read its captions.",
            tab="clusters",
            point="#tl-umap",
            question="How do you recognise a poisoned pair when you see it?",
            answers=(
                "The caption names something that the picture does not show.",
                "The picture is blurred.",
                "It has no caption.",
            ),
            right=0,
            because="Picture and caption contradict each other; their cosine is low as well.",
            until=Until(what="answered"),
        ),
        Step(
            title="Invert the trigger",
            do=(
                "On the tab Triggers, start the trigger scan. It takes minutes; you can leave "
                "the page."
            ),
            tab="triggers",
            point="#tab-triggers",
            question=(
                "The scan searches a pattern that turns any picture into one class. In which "
                "class will it succeed best?"
            ),
            answers=(
                "In the class with most pictures.",
                "Perhaps in the target; it also depends on the form of the search.",
                "In none.",
            ),
            right=1,
            because=(
                "A backdoor is a short cut, so a small pattern is enough for its class. But this "
                "trigger was learned at the centre: a search for a patch at random places misses "
                "it. A found trigger works; it need not be the attacker’s, and an honest model has "
                "short cuts too."
            ),
            until=Until(what="finished", of="trigger-inversion"),
        ),
        Step(
            title="Repair it",
            do="On the tab Repair, choose a repair that fits and start it with the defaults.",
            tab="repair",
            point="#tl-rp-start",
            question="What makes a repair a good one?",
            answers=(
                "Low attack success.",
                "High clean accuracy.",
                "Low attack success and unchanged clean accuracy, measured on unseen pictures.",
            ),
            right=2,
            because=(
                "A model that knows nothing any more has no backdoor either. That is why both "
                "rates always stand together, each with its n and an interval."
            ),
            until=Until(
                what="finished", of="repulsive-prompts token-unlearning fine-tuning clean-clip"
            ),
        ),
        Step(
            title="Say what you know",
            do="Read the two rates before and after, and the controls.",
            tab="repair",
            point="#tl-rp-table",
            question="May the repaired model be called clean?",
            answers=(
                "No: only this trigger was measured.",
                "Yes.",
                "Only if it is small.",
            ),
            right=0,
            because="Another trigger may be there that nobody looked for. Say what was measured.",
            until=Until(what="answered"),
        ),
    ),
)
