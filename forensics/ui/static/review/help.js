// What the Review tab says under "What am I looking at?".

export const TEXTS = [
  ["One queue", "over the evidence of all finished runs: entropy, attention allocation, fusion, masked views, transplant test, scores of the map. Samples that more checks flag come first; flags of scans whose verdict is “suspicious” count before the others."],
  ["Checks that only rank", "have no cut. They say how a sample stands among all others, and never flag it by themselves."],
  ["The bars", "show all samples in grey, this one as a triangle, and the cut as a line. Beyond the cut, on the tinted side, a check flags."],
  ["Nearest unsuspected", "are the three most similar samples that no check and no person flags. What the suspect has and they lack is often the trigger."],
  ["One key, one decision", "K keeps, F flags, U is unsure; the next sample comes by itself. Ctrl-Z takes your latest decision back, a batch as a whole. Nothing is deleted: the journal keeps every step with time, name, cuts and version."],
  ["Two reviewers", "each have a verdict of their own. Where they differ, the sample is in disagreement, whoever spoke last, until one of them changes a verdict. A blind reviewer sees nothing of the other one before comparing."],
  ["Where decisions go", "into exports (--by decisions), the repair filter-retune (--flags decisions), the colours of the map, and the report. They never change the data set."],
];
