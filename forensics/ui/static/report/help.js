// Plain words for the Report tab.

export const TEXTS = [
  ["The report", "is one HTML file with everything that finished runs say: verdicts, evidence with controls, repairs before and after, people’s decisions, limits, and the command lines to do it again. It opens from disk without a network. The JSON file holds the same facts for machines."],
  ["What is missing", "is listed as steps of an investigation. None is compulsory; the report says which were not done."],
  ["The self-test", "plants a trigger that we know in a copy of this very data, tunes a model on the copy and looks for the trigger as this case was examined. If it is not found here, a verdict of “no evidence” is worth less."],
  ["Recall", "of a self-test is the share of the planted rows that a method flags: recall for this planted trigger. Extra flags are on rows where nothing was planted; nobody knows their truth, so they are not called wrong."],
  ["Inconclusive", "means that the model did not learn the planted trigger. Then nothing follows for the detection; more passes or a larger trigger may help."],
  ["Signing", "writes your name and the hash of all findings into the journal. The report shows it, and says when a finding is newer. It is a record, not a cryptographic signature."],
  ["Ground truth", "is only in a report that you ask to reveal it: for demos, lessons and benchmarks."],
];
