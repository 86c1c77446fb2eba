// "What am I looking at?" for the Triggers tab.

export const TEXTS = [
  ["The question", "Somebody else tuned this classifier. Did they plant a trigger: a small change of a picture that makes the model name one class, whatever the picture shows? Neither the trigger nor its class is known."],
  ["The search", "For every class we look for one change, the same for all pictures, that turns as many of them as possible into that class. The pictures need no labels and need not show any of the classes."],
  ["Success", "is the share of pictures that such a change turns into the class. Below the gate (50 %) it counts for nothing: every model can be pushed a little."],
  ["Anomaly index", "says how much easier the class is to reach than the others: how far its loss lies below the middle one, in robust deviations. Over the cut it stands out. With many classes one of them is over 2 by chance, so a second cut, measured on models that we know to be unpoisoned, stands beside it where there is one."],
  ["On content", "counts only pictures of which the model is sure that they show something else, and holds the same change against a reference model. An empty picture is easily drawn anywhere; a backdoor overrides what is there."],
  ["A working trigger, perhaps not the attacker’s", "What is found has the planted effect. It rarely looks like what the attacker used."],
  ["Put it on a picture", "to see what the model says with and without it, and where its image tower looks. Pull the strength down to see when the answer tips."],
  ["Transplant and repair", "The transplant test asks whether the trigger works on pictures that the search never saw, beside other classes’ triggers and noise of the same size. The repair tunes the prompts so that the trigger no longer works, and measures what that costs."],
  ["What it cannot see", "Triggers of another kind than the one searched for, classes that were not scanned, and a trigger in the text. “No evidence” is not “clean”. The method is rebuilt from partial sources (reconstruction)."],
];
