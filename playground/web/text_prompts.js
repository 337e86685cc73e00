// Beginnings to choose from: as the texts of a corpus begin.

const OF = {
  shakespeare: ["KING.\n", "ROMEO.\nO, ", "[Enter the Ghost", "ACT V.\n\nSCENE I."],
  shakespeare_tiny: ["KING.\n", "ROMEO.\nO, ", "[Enter the Ghost", "ACT V.\n\nSCENE I."],
  bible: ["In the beginning ", "And God said, ", "Blessed are "],
};

/** The beginnings of a data set; the first is the one that the box opens with. */
export const promptsOf = (dataset) => OF[dataset] ?? ["\n"];
