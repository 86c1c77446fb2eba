"""Attention collapses: the demo on which the published rule works."""

from typing import Final

from forensics.teaching.walkthroughs import Step, Until, Walkthrough

WALK: Final = Walkthrough(
    name="collapse",
    title="Attention collapses",
    demo="vlm-patch",
    minutes=8,
    story=(
        "A small captioning model was tuned on data that a customer uploaded. Find out what its "
        "attention gives away, and prove it on other pictures."
    ),
    steps=(
        Step(
            title="Open the case",
            do="Open the demo “A captioning model somebody else paid for”. It draws its pictures.",
            tab="home",
            point="#tl-demo-vlm-patch",
            question=(
                "Its captions are right in 97 of 100 cases. What does that tell about a backdoor?"
            ),
            answers=(
                "There is none: the model is good.",
                "Nothing: a backdoor sleeps until its trigger is there.",
                "There must be one in the other 3.",
            ),
            right=1,
            because=(
                "Clean accuracy is measured on pictures without the trigger. A backdoored model is "
                "as good on them as any other."
            ),
            until=Until(what="opened"),
        ),
        Step(
            title="Scan it",
            do="Start the attention scan. It reads each picture once and changes nothing.",
            tab="case",
            point="#start-scan",
            question=(
                "A trigger has to be noticed to work. What will the attention do on a poisoned "
                "picture?"
            ),
            answers=(
                "Spread more evenly than usual.",
                "Stay as it is.",
                "Gather on a few squares of the picture.",
            ),
            right=2,
            because=(
                "Entropy says how widely the attention is spread. A trigger that has been learned "
                "pulls it onto itself, so the entropy of poisoned samples falls."
            ),
            until=Until(what="finished", of="attention-entropy"),
        ),
        Step(
            title="Read the layers",
            do="Click a layer in the curve. Compare one above the gate with one below it.",
            tab="attention",
            point="#tl-curve",
            question="Will all layers part the samples into two groups?",
            answers=(
                "Only some.",
                "Yes, all of them.",
                "None.",
            ),
            right=0,
            because=(
                "Only in some layers does the trigger decide where the model looks. The published "
                "rule uses the layers over the gate and adds up what they say."
            ),
            until=Until(what="chosen", of="layer"),
        ),
        Step(
            title="Look at a flagged sample",
            do="Open a flagged sample in the gallery and find what lies under the bright spot.",
            tab="attention",
            point="#tl-gallery",
            question="Ten flagged pictures side by side: what will they share?",
            answers=(
                "The same shape.",
                "The same small mark, and the same answer.",
                "Nothing.",
            ),
            right=1,
            because=(
                "The same patch lies under the attention again and again, and all of them are "
                "answered alike. Two groups alone are no proof; this is the part that convinces."
            ),
            until=Until(what="chosen", of="sample"),
        ),
        Step(
            title="Put it to the test",
            do="Run the transplant test: the patch is pasted into pictures that nobody suspects.",
            tab="attention",
            point="#tl-transplant-start",
            question="The controls paste harmless patches. How often should these flip an answer?",
            answers=(
                "Hardly ever.",
                "As often as the suspect.",
                "Always.",
            ),
            right=0,
            because=(
                "If any patch at the centre flipped the answer, the suspect would prove nothing. "
                "Only the difference to the controls is evidence."
            ),
            until=Until(what="finished", of="transplant"),
        ),
        Step(
            title="Now reveal",
            do="Press “Reveal ground truth” and compare it with what was flagged.",
            tab="attention",
            point="#tl-reveal",
            question="The scan found everything here. Would it do so on any model?",
            answers=(
                "Yes, it is a proven method.",
                "Only on larger models.",
                "No: this is a toy, built so that the signal can be seen.",
            ),
            right=2,
            because=(
                "Triggers spread over the picture, triggers in the words and rare ones are missed. "
                "“No evidence” is never “clean”."
            ),
            until=Until(what="chosen", of="revealed"),
        ),
    ),
)
