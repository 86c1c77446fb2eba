// "What am I looking at?" for the Clusters tab.

export const TEXTS = [
  ["The map", "puts samples near each other that are alike to the model. It is drawn from what the model itself computes: the embedding of the picture, what it is about to say, or where it looks. It is flat, so it keeps neighbours, not distances: how far two groups lie apart, and how wide a group is, mean little."],
  ["Why poison lies together", "A model that learned a trigger treats all pictures that carry it alike, whatever else they show. So poisoned samples often form a small, tight group of their own, with one answer."],
  ["A group is not yet a backdoor.", "Kinds of questions, of pictures and of sources form groups as well. Look at the pictures of a group: do they share a mark that has nothing to do with the answer?"],
  ["Select", "with the lasso or a box; Shift adds. A row of the table of groups selects that group. With the keyboard: arrow keys walk from point to point, space selects, Escape clears. Hidden points are never selected."],
  ["The scores", "say how a sample lies among the others: its distance to the k-th neighbour, how sparse its place is beside its neighbours' places, how far out it lies in its class, and, for a CLIP, how well its caption fits. None of them is a verdict."],
  ["Put aside", "draws a new map without the selected samples, so that they no longer bend it. The data set is not changed: the list of what was put aside is kept in the case, and the old map stays."],
];
