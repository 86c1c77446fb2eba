// "What am I looking at?" for the Lab tab.

export const TEXTS = [
  ["The lab", "makes small cases for a class, or for yourself: you plant a backdoor, or none, train a tiny model, and then look for it as if you did not know."],
  ["A trigger", "is the mark that wakes the backdoor. The preview shows every picture beside its original, and the words of its row as the model will learn them."],
  ["The poison rate", "is the share of samples that carry the trigger. With a rate of 0 nothing is planted; a class should meet such a case as well."],
  ["Training", "runs in a process of its own. Close the page, and it goes on; stop it, and it goes on later where it was."],
  ["Predict before reveal", "because everybody knows it afterwards. Each part of a guess gets up to one point: the verdict, the target, the samples (F1, so that ticking everything does not help) and the place."],
  ["A hidden case", "is dealt by the server: you do not know yourself whether anything is planted."],
  ["Clean accuracy and attack success", "always stand together, with their number of pictures and a 95 % interval. Attack success is counted on pictures that do not show the target anyway."],
  ["What it cannot show", "The models are toys, built so that the signal can be seen. Real cases are harder, and what is found here tells nothing about other models."],
];
