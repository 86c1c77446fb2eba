// "What am I looking at?" for the Repair tab.

export const TEXTS = [
  ["The question", "This model has, or may have, a backdoor. Can it be taken out without losing what the model is good at? A repair makes a new model; the one of the case is never changed."],
  ["Language models", "are tuned again from their base: without the samples that a scan or people flagged, without random ones (the baseline), or on all of them while two views of a picture may not lead to outputs that agree too well (cross-view, reconstruction). An adapter that learned the backdoor keeps it, so tuning starts from the base, and hashes prove it."],
  ["D, H and the mask", "D says how far the outputs to a picture and to the same picture with random parts hidden lie apart, H how unsure they are. Tuning with masks may teach a model to see them instead of losing the backdoor (mask-as-switch): then a mask changes what the trigger does by more than it did before."],
  ["Which repair", "depends on what you have: a few clean labelled pictures, clean pairs of picture and caption, or the very pairs that the model was trained on. Every method says what it needs and whether this case has it. Baselines are simple; a method that does not beat them is not worth its trouble."],
  ["Attack success", "is the share of pictures that become the planted class once the trigger is on them, or of samples whose answer then contains the target; those whose true class or answer it is do not count. It says by which trigger: the known one, or a reconstructed one, which works but need not be the attacker’s."],
  ["Clean accuracy", "is the share of pictures without a trigger that are named rightly; of a language model, of samples that are answered exactly as they should be. A repair that destroys the model also destroys the backdoor, so both always stand together, each with its count and a 95 % interval."],
  ["The paired difference", "compares both models picture by picture, or sample by sample. Its interval tells whether a change may be chance."],
  ["The frontier", "holds the repairs that no other beats in both: less attack success and more clean accuracy. Further up and further left is better."],
  ["Resistivity", "says how little a small change of a picture moves what a layer sees: 1 is not at all. A backdoor makes the tower give way to its trigger; a repair should make it hold, without making it blind to everything."],
  ["The same pictures", "show what the old and the new model say and where they look, with and without the trigger."],
  ["The plane", "lays the image vectors of some pictures on their two main directions. Where a backdoor works, triggered pictures leave their own kind and gather in one place."],
  ["What it cannot show", "Only the trigger that was measured. Another one may still work, so a repaired model is not thereby “clean”."],
];
