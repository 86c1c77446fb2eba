// "What am I looking at?" of Home.

export const TEXTS = [
  ["TriggerLens", "looks for backdoors in models that see and read: language models with pictures, and CLIP. It shows evidence; you decide."],
  ["Start", "with a demo if you are new here: a toy model that we poisoned ourselves, so that every signal has a known cause. Then name a model and data of your own."],
  ["Recent cases", "are folders on this machine. “Forget” takes one off this list and deletes nothing; opening its folder brings it back."],
  ["The run history", "keeps every job with the options that differ from the default, what it said, how long it took and what it takes on disk. A run that others build on cannot be deleted: what they say could not be checked without it."],
  ["Comparing", "two runs shows which options differ and which samples both flag. The Jaccard index is the share of samples that both flag among those that either flags."],
  ["Links", "Every view has an address: “Copy link” gives it to a colleague, who sees the same tab, run, layer and sample, if they can reach this server."],
];
